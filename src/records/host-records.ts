/** The records of the host itself: addresses, the SPF of its EHLO names, keys of its certificate, who may issue one. */

import type { RecordFacts, WantedRecord } from './wanted-record.ts';
import { zoneOf } from './zone-of.ts';

export function hostRecords(facts: RecordFacts): WantedRecord[] {
  return [...addressRecords(facts), ...heloRecords(facts), ...tlsaRecords(facts), ...caaRecords(facts)];
}

export const isIpv6 = (address: string): boolean => address.includes(':');

const zoneNames = ({ domains }: RecordFacts): string[] => domains.map(({ name }) => name);

/** Every name that we introduce ourselves by, with its addresses. */
function ownNames({ hostname, addresses, sending }: RecordFacts): Map<string, Set<string>> {
  const names = new Map([[hostname, new Set(addresses)]]);
  for (const { address, ehloName } of sending)
    names.set(ehloName, (names.get(ehloName) ?? new Set()).add(address));
  return names;
}

function addressRecords(facts: RecordFacts): WantedRecord[] {
  return [...ownNames(facts)].flatMap(([name, addresses]) => {
    const hasIpv4 = [...addresses].some((address) => !isIpv6(address));
    return [...addresses].map((address): WantedRecord => {
      const takesMail = facts.addresses.includes(address) && name === facts.hostname;
      return {
        domain: zoneOf(name, zoneNames(facts)),
        name,
        type: isIpv6(address) ? 'AAAA' : 'A',
        data: address,
        purpose: 'address',
        need: isIpv6(address) && hasIpv4 ? 'recommended' : 'required',
        why: takesMail
          ? 'the address at which this server takes mail'
          : 'the name by which this server introduces itself must lead to the address that it sends from',
        where: 'zone',
      };
    });
  });
}

/** Reports of failure have no sender but the EHLO name: what a receiver checks of them is its SPF (RFC 7208 §2.4). */
function heloRecords(facts: RecordFacts): WantedRecord[] {
  return [...ownNames(facts).keys()].map((name) => ({
    domain: zoneOf(name, zoneNames(facts)),
    name,
    type: 'TXT',
    data: 'v=spf1 a -all',
    purpose: 'spf',
    need: 'recommended',
    why: 'reports of failed delivery have no sender: receivers check the name of the server instead',
    where: 'zone',
  }));
}

/** DANE-EE, SubjectPublicKeyInfo, SHA-256: the only form that RFC 7672 §3.1 wants from servers with a public CA. */
function tlsaRecords(facts: RecordFacts): WantedRecord[] {
  const { hostname, tlsKeys, isSigned } = facts;
  const why =
    'senders that know DANE accept no other key than these (RFC 7672): it has to be right at all times, and counts only where the zone is signed with DNSSEC';
  const notYet =
    isSigned === true
      ? undefined
      : `the zone of ${hostname} ${isSigned === false ? 'is not signed' : 'must be signed'} with DNSSEC first`;
  return tlsKeys.map(({ sha256, role }) => ({
    domain: zoneOf(hostname, zoneNames(facts)),
    name: `_25._tcp.${hostname}`,
    type: 'TLSA',
    data: `3 1 1 ${sha256.toLowerCase()}`,
    purpose: 'dane',
    need: 'optional',
    why: role === 'current' ? why : 'the key of the next certificate: published before it is used',
    where: 'zone',
    ...(notYet !== undefined && { notYet }),
  }));
}

/** At the host's name only, so that it binds nobody else: the names that are aliases of it follow it (RFC 8659 §3). */
function caaRecords(facts: RecordFacts): WantedRecord[] {
  const { hostname, acme } = facts;
  if (acme === undefined) return [];
  const limits = [
    ...(acme.accountUri === undefined ? [] : [`accounturi=${acme.accountUri}`]),
    ...(acme.methods.length === 0 ? [] : [`validationmethods=${acme.methods.join(',')}`]),
  ];
  return acme.issuers.map((issuer) => ({
    domain: zoneOf(hostname, zoneNames(facts)),
    name: hostname,
    type: 'CAA',
    data: `0 issue "${[issuer, ...limits].join('; ')}"`,
    purpose: 'caa',
    need: 'optional',
    why:
      acme.accountUri === undefined
        ? 'no other authority issues a certificate for this name, and by no other method (RFC 8659, RFC 8657)'
        : 'nobody but the account of this server can have a certificate issued for this name (RFC 8657). Whoever moves without that account takes accounturi away first',
    where: 'zone',
  }));
}
