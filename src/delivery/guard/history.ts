/**
 * What has been found out about an address of ours, over time, and what is to be thought of it: pure functions. An address is
 * disqualified by what fails three times an hour apart, never by what is not known, and never by a block list.
 */

import type { Standing } from '../route/sources.ts';

export type CheckName =
  /** It can be sent from at all. */
  | 'address'
  /** A PTR record whose name leads back (RFC 8601 §3, iprev). */
  | 'reverse'
  /** The name that we say in EHLO leads to it. */
  | 'ehlo'
  /** SPF of a domain of ours permits it. */
  | 'spf'
  | 'blocklist';

export interface Finding {
  check: CheckName;
  /** What was asked about, besides the address: our EHLO name, a domain, a list. */
  subject: string;
  /** `absent`: nothing is published; that is the domain's want, not the address's. */
  result: 'good' | 'bad' | 'unknown' | 'absent';
  /** What DNS said, in words. */
  evidence: string;
  /** The record that would mend it, as it is to be entered. */
  record?: string;
  /** Of `reverse`: the names that the address has, whether or not they lead back. */
  names?: readonly string[];
}

export interface Remembered extends Finding {
  /** How often it was bad, an hour apart, since it was last good. */
  failures: number;
  /** When the last of these was counted, in ms since the epoch. */
  countedAt?: number;
}

/** Of one address; survives JSON. */
export interface History {
  checkedAt: number;
  findings: readonly Remembered[];
}

/** So many failures disqualify. */
export const failuresToDisqualify = 3;
/** Failures closer together count once. */
export const failureSpacingMs = 3600_000;

/** The history with the findings of a check at `at`; what was not looked at any more is forgotten. */
export function historyAfter(before: History | undefined, findings: readonly Finding[], at: number): History {
  const known = new Map(before?.findings.map((each) => [keyOf(each), each]));
  return {
    checkedAt: at,
    findings: findings.map((finding) => remember(known.get(keyOf(finding)), finding, at)),
  };
}

const keyOf = ({ check, subject }: Finding): string => `${check} ${subject}`;

function remember(before: Remembered | undefined, finding: Finding, at: number): Remembered {
  const { failures = 0, countedAt } = before ?? {};
  if (finding.result === 'good' || finding.result === 'absent') return { ...finding, failures: 0 };
  const isCounted =
    finding.result === 'bad' && (countedAt === undefined || at - countedAt >= failureSpacingMs);
  if (isCounted) return { ...finding, failures: failures + 1, countedAt: at };
  return { ...finding, failures, ...(countedAt !== undefined && { countedAt }) };
}

/** Whether the address must not be used while another qualifies, because of this. */
export function disqualifies({ check, result, failures }: Remembered): boolean {
  if (check === 'address') return result === 'bad';
  return check !== 'blocklist' && failures >= failuresToDisqualify;
}

/** What a finding adds to the rank: a disqualification outweighs all others, a failure a listing, a listing a doubt. */
function weight(finding: Remembered): number {
  if (disqualifies(finding)) return 1000;
  if (finding.result === 'bad') return finding.check === 'blocklist' ? 10 : 100;
  return finding.result === 'unknown' && finding.check !== 'blocklist' ? 1 : 0;
}

export function standingOf({ findings }: History): Standing {
  const rank = findings.reduce((sum, finding) => sum + weight(finding), 0);
  const against = findings.filter(disqualifies);
  const told = against.length > 0 ? against : findings.filter(({ result }) => result === 'bad');
  const reason = told.map(({ evidence }) => evidence).join('; ');
  return { isFit: against.length === 0, rank, ...(reason !== '' && { reason }) };
}

/** Something may be otherwise within the hour: it failed, or was not found out. */
export const isUnsettled = ({ findings }: History): boolean =>
  findings.some(({ check, result }) => check !== 'blocklist' && (result === 'bad' || result === 'unknown'));
