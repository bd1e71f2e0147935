/** TLSA records against the certificates that the server shows, and whether they can count at all. RFC 6698 §2.1, RFC 7672 §3.1. */

import type { X509Certificate } from 'node:crypto';
import { usableRecords, verifyDane } from '../dane/tlsa.ts';
import type { TlsaRecord } from '../dns/resolver.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found, good } from './finding.ts';
import { looksResolver } from './looks-resolver.ts';
import { findMisplaced } from './misplaced.ts';
import type { ZoneServers } from './name-servers.ts';
import { dsLines } from './signatures.ts';

export interface DaneParts {
  looks: DnsLooks;
  hostname: string;
  /** What the keys of our certificates would want to see there. */
  wanted: readonly WantedRecord[];
  /** As the server shows them, or as they are on disk; empty: not known. */
  chain: readonly X509Certificate[];
  now: number;
  /** SHA-256 of the key that is to come, in hexadecimal; absent: none is. */
  nextKey?: string | undefined;
}

export async function examineDane(parts: DaneParts): Promise<Finding[]> {
  const { looks, hostname, wanted, chain, now } = parts;
  const name = `_25._tcp.${hostname}`;
  const [answer, zone] = await Promise.all([
    looksResolver(looks).resolve(name, 'TLSA'),
    looks.zoneOf(hostname),
  ]);
  const isSigned = zone?.isSigned;
  if (answer.status === 'failed') return isSigned ? unanswered(parts, answer.detail) : [];
  const [first] = wanted;
  if (answer.status === 'none') {
    if (isSigned !== true || first === undefined) return [];
    const misplaced = await findMisplaced(looks, first, {
      names: [`_443._tcp.${hostname}`, `_465._tcp.${hostname}`, `_25._tcp.${first.domain}`],
    });
    return [
      found('dane-missing', {
        evidence: `the zone of ${hostname} is signed, and ${name} has no TLSA record${misplaced === undefined ? '' : `; there is one at ${misplaced}`}`,
        remedy: 'With it, senders that know DANE can be sure to reach this server, and no other.',
        record: first,
      }),
    ];
  }
  const texts = textsOf(await looks.see(name, 'TLSA')).join(', ');
  const findings: Finding[] = [];
  if (isSigned === false && zone !== undefined) findings.push(await uncounted(looks, name, zone));
  const usable = usableRecords(answer.records);
  if (usable.length < answer.records.length)
    findings.push(
      found('dane-parameters', {
        evidence: `${texts}: only 2 and 3 as the first number count for mail, 0 and 1 as the second, 0 to 2 as the third, with as much data as the hash has`,
        remedy: 'Replace it by this one.',
        record: first,
      }),
    );
  if (usable.length === 0 || chain.length === 0) return findings;
  const verdict = verifyDane(usable, chain, { names: [hostname], now });
  if (verdict.result === 'failed')
    findings.push(
      found('dane-mismatch', {
        evidence: `${texts}: ${selectorWords(usable, parts) ?? verdict.reason}`,
        remedy:
          isSigned === false
            ? 'Once the zone is signed, senders that know DANE would not deliver. Replace it by this one.'
            : 'Senders that know DANE do not deliver. Add this one now; remove the old one when nothing uses its key.',
        record: first,
      }),
    );
  if (findings.length > 0) return findings;
  return [...missingNext(parts, texts), good('DANE', `${texts} is the key of the certificate`)];
}

/** Without signatures, or without a parent that vouches for them, TLSA records are nothing (RFC 7672 §2.2). */
async function uncounted(looks: DnsLooks, name: string, zone: ZoneServers): Promise<Finding> {
  const keys = (await looks.keysOf(zone)).flatMap((each) => each.keys);
  if (keys.length === 0)
    return found('dane-unsigned', {
      evidence: `${name} has TLSA records, but the zone ${zone.name} is not signed (DNSSEC)`,
      remedy:
        'Have the zone signed: a switch in the panel of most DNS providers, and a DS record at the registrar. Or remove the records.',
    });
  return found('dane-unsigned', {
    evidence: `${name} has TLSA records, and the zone ${zone.name} is signed, but its parent zone has no DS record`,
    remedy: 'Enter this at the registrar, in the part for DNSSEC. Or remove the TLSA records.',
    record: dsLines(zone, keys),
  });
}

/** DNS tells that there is something, or nothing; who cannot know it must not deliver (RFC 7672 §2.1.1). Other types are answered. */
async function unanswered({ looks, hostname }: DaneParts, why: string): Promise<Finding[]> {
  const others = await Promise.all((['A', 'AAAA'] as const).map((type) => looks.see(hostname, type)));
  if (!others.some(({ status }) => status === 'found')) return [];
  return [
    found('dane-unanswered', {
      evidence: `the zone of ${hostname} is signed, and nobody tells whether _25._tcp.${hostname} has a TLSA record: ${why}`,
      remedy:
        'Senders that know DANE do not deliver until they know. It is a fault of the DNS software or of a firewall that does not let TLSA through: tell your DNS provider.',
    }),
  ];
}

/** The hash of the key where that of the certificate is announced, or the other way round. */
function selectorWords(
  usable: readonly TlsaRecord[],
  { chain, hostname, now }: DaneParts,
): string | undefined {
  const wrong = usable.find(
    (each) =>
      verifyDane([{ ...each, selector: 1 - each.selector }], chain, { names: [hostname], now }).result ===
      'verified',
  );
  if (wrong === undefined) return undefined;
  const kinds = ['of the whole certificate', 'of its key'];
  return `it is the hash ${kinds[1 - wrong.selector]}, and the second number (${wrong.selector}) says that it is the one ${kinds[wrong.selector]}`;
}

/** A key is used only when its record has been seen for long enough (RFC 7671 §8.1): without it nothing goes on. */
function missingNext({ hostname, wanted, nextKey }: DaneParts, texts: string): Finding[] {
  if (nextKey === undefined || texts.toLowerCase().includes(nextKey.toLowerCase())) return [];
  return [
    found('dane-next-missing', {
      evidence: `_25._tcp.${hostname} has ${texts}`,
      remedy: 'Add this one beside the other; take the other away when `posthorn tls` shows the new key.',
      record: wanted.find(({ data }) => data.endsWith(nextKey.toLowerCase())),
    }),
  ];
}
