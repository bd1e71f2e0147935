/**
 * The answers an authoritative server gives from plain data. Whatever is not written does not exist: the data stands
 * for the whole tree, so that a question for another domain gets NXDOMAIN and not silence. A name with NS records below a SOA,
 * and without one itself, is a zone that is served elsewhere. No signatures, no sockets.
 * RFC 1034 §4.3.2 (algorithm), RFC 2308 §3 (the SOA of negative answers), RFC 4592 (wildcards), RFC 8020 (names above a
 * name exist).
 *
 *     zone({
 *       'example.com': { MX: [[10, 'mx.example.com']], TXT: ['v=spf1 mx -all'] },
 *       'mx.example.com': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
 *       '1.2.0.192.in-addr.arpa': { PTR: ['mx.example.com'] },
 *     })
 */

import type { RrsigAnswer, SoaAnswer } from 'dns-packet';
import { maxAliases } from './message.ts';
import { canonicalName } from './name.ts';
import { defaultTtl, recordsOf, soaData, type ZoneData, type ZoneRecord } from './zone-data.ts';

export interface ZoneReply {
  /** False is NXDOMAIN; true without the records asked for is NODATA. */
  exists: boolean;
  /** The aliases on the way, and what was asked for. */
  answers: readonly ZoneRecord[];
  /** The SOA, when what was asked for is not there. */
  authority: readonly ZoneRecord[];
  /** To be told as proven by DNSSEC (AD), as a validating resolver would; nothing is signed here. */
  authentic?: boolean;
  /** SERVFAIL instead of all that. */
  fails?: boolean;
  /** SERVFAIL, but for those who want the answer unchecked (CD), as a validating resolver has it of wrong signatures. */
  isBogus?: boolean;
  /** REFUSED instead of all that: no zone of this server. */
  refuses?: boolean;
  /** Not from the zone itself (AA not set): a delegation, or what somebody else has said. */
  isForeign?: boolean;
  /** Addresses of the name servers that are named. */
  glue?: readonly ZoneRecord[];
  /** Over the answers, for who asks for them (DO: RFC 4035 §3.1.1). */
  signatures?: () => readonly RrsigAnswer[];
}

export interface Zone {
  /** `name` is canonical, `type` the name of any record type. */
  answer(name: string, type: string): ZoneReply;
}

/** @throws {TypeError} when a record of `data` could not be served. */
export function zone(data: ZoneData, ttl: number = defaultTtl): Zone {
  const records = Map.groupBy(recordsOf(data, ttl), ({ name }) => name);
  const existing = new Set(Object.keys(data).flatMap((name) => withAncestors(canonicalName(name))));

  const has = (name: string, type: string) => records.get(name)?.some((record) => record.type === type);

  /** Without SOA records, its zone is taken to begin at the highest name above it that has records, or at the root. */
  function soaAbove(name: string): ZoneRecord {
    const above = withAncestors(name);
    const top = above.find((ancestor) => has(ancestor, 'SOA'));
    const written = records.get(top ?? '')?.find((record) => record.type === 'SOA');
    return written ?? soa(above.findLast((ancestor) => records.has(ancestor)) ?? '', ttl);
  }

  /** The zone cut above or at the name. Of the cut itself, only the DS is this zone's (RFC 4035 §3.1.4.1). */
  function findReferral(name: string, type: string): ZoneReply | undefined {
    const above = withAncestors(name);
    const top = above.findIndex((ancestor) => has(ancestor, 'SOA'));
    const cut = above.slice(0, Math.max(0, top)).findLast((ancestor) => has(ancestor, 'NS'));
    if (cut === undefined || (cut === name && type === 'DS')) return undefined;
    const authority = (records.get(cut) ?? []).filter((record) => record.type === 'NS');
    const hosts = authority.map(({ data }) => String(data));
    const glue = hosts.flatMap((host) => records.get(host) ?? []).filter(isAddress);
    return { exists: true, answers: [], authority, glue, isForeign: true };
  }

  /** What stands there, or what a wildcard puts there (RFC 4592 §3.3.1). */
  function recordsAt(name: string): readonly ZoneRecord[] {
    if (existing.has(name)) return records.get(name) ?? [];
    const closest = withAncestors(name).find((ancestor) => existing.has(ancestor));
    return (records.get(`*.${closest}`) ?? []).map((record) => ({ ...record, name }));
  }

  return {
    answer(name, type) {
      const referral = findReferral(name, type);
      if (referral) return referral;
      const aliases: ZoneRecord[] = [];
      let owner = name;
      while (aliases.length <= maxAliases) {
        const here = recordsAt(owner);
        const answers = here.filter((record) => record.type === type);
        const alias = here.find((record) => record.type === 'CNAME');
        if (answers.length > 0) return { exists: true, answers: [...aliases, ...answers], authority: [] };
        if (alias === undefined) {
          return {
            exists: existing.has(owner) || here.length > 0,
            answers: aliases,
            authority: [soaAbove(owner)],
          };
        }
        aliases.push(alias);
        owner = String(alias.data);
      }
      // A circle, for the asker to notice; it is served as far as it is worth following.
      return { exists: true, answers: aliases, authority: [] };
    },
  };
}

/** `a.example.com` → `a.example.com`, `example.com`, `com`, and the root. */
function withAncestors(name: string): string[] {
  const labels = name.split('.');
  return [...labels.map((_, depth) => labels.slice(depth).join('.')), ''];
}

const isAddress = ({ type }: ZoneRecord): boolean => type === 'A' || type === 'AAAA';

function soa(name: string, ttl: number): SoaAnswer {
  return { name: name === '' ? '.' : name, type: 'SOA', ttl, data: soaData(name, 1, ttl) };
}
