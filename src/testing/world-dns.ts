/**
 * The DNS of a world: one authoritative server for everything, whose records can be changed while it runs, and the
 * records that a well-kept domain publishes. Served and looked up over real UDP and TCP.
 */

import { dkimRecord } from '../authentication/dkim-key.ts';
import { reverseName } from '../dns/reverse.ts';
import { type ZoneReply, zone } from '../dns/zone.ts';
import type { NameRecords, ZoneData } from '../dns/zone-data.ts';
import { type DnsServer, serveZone } from '../net/dns-server.ts';

export interface WorldDns {
  readonly address: string;
  readonly port: number;
  /** All records at this moment. */
  readonly records: ZoneData;
  /** From now on the answers about these names, and all below them, count as proven by DNSSEC. */
  sign(...names: string[]): void;
  /** From now on there is SERVFAIL for these names, as for bogus signatures. */
  break(...names: string[]): void;
  /** Puts `changes` in place of whatever is at the names they name; a name with `{}` exists and has nothing. */
  change(changes: ZoneData): void;
  close(): Promise<void>;
}

/** `ttl` in seconds is that of every record. */
export async function serveDns(ttl: number, port: number): Promise<WorldDns> {
  let records: ZoneData = {};
  let current = zone(records, ttl);
  let signed: readonly string[] = [];
  let broken: readonly string[] = [];
  const isSigned = (name: string) => signed.some((each) => name === each || name.endsWith(`.${each}`));
  const answer = (name: string, type: string): ZoneReply => {
    const reply = current.answer(name, type);
    const names = [name, ...reply.answers.map((record) => record.name)];
    return { ...reply, fails: broken.includes(name), authentic: names.every(isSigned) };
  };
  const server: DnsServer = await serveZone({ answer }, { port });
  return {
    address: server.address,
    port: server.port,
    get records() {
      return records;
    },
    sign(...names) {
      signed = names;
    },
    break(...names) {
      broken = names;
    },
    change(changes) {
      records = { ...records, ...changes };
      current = zone(records, ttl);
    },
    close: () => server.close(),
  };
}

/** A host as DNS knows it. */
export interface Host {
  name: string;
  /** IPv4 and IPv6. */
  addresses: readonly string[];
}

export interface Domain {
  name: string;
  mx: Host;
  dkim: { selector: string; privateKeyPem: string };
  /** Addresses besides those of its MX from which its mail comes. */
  sendsFrom: readonly string[];
}

/** MX, SPF, DKIM and DMARC, with the policy to reject what does not pass. */
export function domainRecords({ name, mx, dkim, sendsFrom }: Domain): ZoneData {
  const others = sendsFrom
    .filter((address) => !mx.addresses.includes(address))
    .map((address) => (isIpv6(address) ? `ip6:${address}` : `ip4:${address}`));
  return {
    [name]: { MX: [[10, mx.name]], TXT: [['v=spf1', 'mx', ...others, '-all'].join(' ')] },
    [`${dkim.selector}._domainkey.${name}`]: { TXT: [dkimRecord(dkim.privateKeyPem).value] },
    [`_dmarc.${name}`]: { TXT: ['v=DMARC1; p=reject'] },
  };
}

/** A and AAAA of the hosts, and PTR for each of their addresses: several hosts may share one. */
export function hostRecords(hosts: readonly Host[]): ZoneData {
  const records: Record<string, NameRecords> = {};
  for (const { name, addresses } of hosts) {
    records[name] = {
      A: addresses.filter((address) => !isIpv6(address)),
      AAAA: addresses.filter(isIpv6),
    };
    for (const reverse of addresses.map(reverseName)) {
      records[reverse] = { PTR: [...(records[reverse]?.PTR ?? []), name] };
    }
  }
  return records;
}

const isIpv6 = (address: string): boolean => address.includes(':');
