/**
 * The answers an authoritative server gives from plain data. Whatever is not written does not exist: the data stands
 * for the whole tree, so that a question for another domain gets NXDOMAIN and not silence. No wildcards, no
 * delegations, no signatures, no sockets.
 * RFC 1034 §4.3.2 (algorithm), RFC 2308 §3 (the SOA of negative answers), RFC 8020 (names above a name exist).
 *
 *     zone({
 *       'example.com': { MX: [[10, 'mx.example.com']], TXT: ['v=spf1 mx -all'] },
 *       'mx.example.com': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
 *       '1.2.0.192.in-addr.arpa': { PTR: ['mx.example.com'] },
 *     })
 */

import type { SoaAnswer } from 'dns-packet';
import { maxAliases } from './message.ts';
import { canonicalName } from './name.ts';
import { defaultTtl, recordsOf, type ZoneData, type ZoneRecord } from './zone-data.ts';

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
}

export interface Zone {
  /** `name` is canonical, `type` the name of any record type. */
  answer(name: string, type: string): ZoneReply;
}

/** @throws {TypeError} when a record of `data` could not be served. */
export function zone(data: ZoneData, ttl: number = defaultTtl): Zone {
  const records = Map.groupBy(recordsOf(data, ttl), ({ name }) => name);
  const existing = new Set(Object.keys(data).flatMap((name) => withAncestors(canonicalName(name))));

  /** Its zone is taken to begin at the highest name above it that has records, or at the root. */
  function soaAbove(name: string): SoaAnswer {
    return soa(withAncestors(name).findLast((ancestor) => records.has(ancestor)) ?? '', ttl);
  }

  return {
    answer(name, type) {
      const aliases: ZoneRecord[] = [];
      let owner = name;
      while (aliases.length <= maxAliases) {
        const here = records.get(owner) ?? [];
        const answers = here.filter((record) => record.type === type);
        const alias = here.find((record) => record.type === 'CNAME');
        if (answers.length > 0) return { exists: true, answers: [...aliases, ...answers], authority: [] };
        if (alias === undefined) {
          return { exists: existing.has(owner), answers: aliases, authority: [soaAbove(owner)] };
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

/** RFC 1035 §3.3.13. The times matter only to secondaries, of which there are none. */
function soa(name: string, ttl: number): SoaAnswer {
  const owner = name === '' ? '.' : name;
  const mname = name === '' ? 'localhost' : name;
  const data = {
    mname,
    rname: `postmaster.${mname}`,
    serial: 1,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: ttl,
  };
  return { name: owner, type: 'SOA', ttl, data };
}
