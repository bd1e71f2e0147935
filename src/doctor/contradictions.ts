/** What comes up while DNS is looked at, besides what was asked: servers, resolver and signatures that do not agree. Types only. */

import type { DnsKey, RecordSet, SetVerdict } from '../dns/dnssec.ts';
import type { ShownType } from '../dns/record-text.ts';

/** Two servers of a zone that do not say the same. */
export interface Difference {
  zone: string;
  name: string;
  type: ShownType;
  /** What each of them has, one text for each that differs. */
  versions: readonly { servers: readonly string[]; texts: readonly string[] }[];
}

/** The resolver has something else than the zone. */
export interface Outdated {
  name: string;
  type: ShownType;
  /** Empty: it has nothing. */
  texts: readonly string[];
  /** Seconds until it forgets. */
  ttl: number;
}

/** Records whose signatures do not prove them, in a zone that is signed. */
export interface Unproven {
  zone: string;
  name: string;
  /** Of the set, by its number in messages. */
  type: number;
  /** Absent: the resolver refuses it, and nobody knows better why. */
  verdict?: Exclude<SetVerdict, { kind: 'proven' | 'unknown' }>;
  /** Who said so. */
  host: string;
}

/** The keys of a zone, as one of its servers has them. */
export interface KeysSeen {
  host: string;
  keys: readonly DnsKey[];
  /** Absent: it has none. */
  set?: RecordSet;
}
