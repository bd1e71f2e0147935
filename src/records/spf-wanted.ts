/** The SPF record of a domain, from where its mail is really sent. RFC 7208. */

import { isIpv6 } from './host-records.ts';
import type { DomainFacts, RecordFacts, WantedRecord } from './wanted-record.ts';

export function spfRecord(domain: DomainFacts, facts: RecordFacts): WantedRecord {
  return {
    domain: domain.name,
    name: domain.name,
    type: 'TXT',
    data: `v=spf1 ${mechanisms(domain, facts).join(' ')} ~all`,
    purpose: 'spf',
    need: 'required',
    why: whyOf(domain),
    where: 'zone',
  };
}

function whyOf({ relays }: DomainFacts): string {
  const rule =
    'who may send in your name; one such record only. If somebody else sends for you too (a newsletter service), add its include: before ~all';
  if (relays.length === 0) return rule;
  return `${rule}. Your mail leaves through ${relays.join(' and ')}: if its operator names an include:, put that in its place`;
}

/** `mx` where all mail leaves from the addresses that it comes in at: then a new address is changed in one place. */
function mechanisms({ name, relays }: DomainFacts, facts: RecordFacts): string[] {
  if (relays.length > 0) return relays.map(relayMechanism);
  const sending = sendingAddresses(name, facts);
  if (sending.every((address) => facts.addresses.includes(address))) return ['mx'];
  return sending.map(addressMechanism);
}

const addressMechanism = (address: string): string => `${isIpv6(address) ? 'ip6' : 'ip4'}:${address}`;

const relayMechanism = (host: string): string =>
  /^[\d.]+$|:/.test(host) ? addressMechanism(host) : `a:${host}`;

/** As delivery chooses them: what names the domain, or an address in it; else what is for everybody. */
function sendingAddresses(domain: string, { sending }: RecordFacts): string[] {
  const named = sending.filter(({ senders }) => senders.includes(domain));
  const forAddresses = sending.filter(({ senders }) =>
    senders.some((sender) => sender.endsWith(`@${domain}`)),
  );
  const forAll = sending.filter(({ senders }) => senders.length === 0);
  const used = [...(named.length > 0 ? named : forAll), ...forAddresses];
  return [...new Set(used.map(({ address }) => address))];
}
