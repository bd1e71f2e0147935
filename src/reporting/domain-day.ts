/** A domain's day as the store keeps it, from the first result to the last report: one memo. */

import type { Memo } from '../store/store.ts';
import type { DomainTally } from '../tls-rpt/tally.ts';

export interface DomainDay {
  /** A-labels. */
  domain: string;
  /** UTC, `2026-11-27`. */
  day: string;
  tally: DomainTally;
  /** There once the day is over and somebody has begun to report. */
  sending?: Sending;
}

export interface Sending {
  /** Of the first look for the record, milliseconds since the epoch. */
  startedAt: number;
  attempts: number;
  nextAt: number;
  /** Absent until the record has been read. */
  targets?: Target[];
}

/** Somebody who gets the report. */
export interface Target {
  uri: string;
  /** Of the message; a report that is no message has a dossier by it all the same. */
  queueId: string;
  /** `begun`: it is being sent, or was when the server stopped. */
  state: 'waiting' | 'begun' | 'over';
}

export const memoKind = 'tls-rpt';

const dayMs = 24 * 3600_000;
/** The memo of a day that nobody could report goes by itself. */
const keptMs = 4 * dayMs;

/** The UTC day of a moment. */
export const dayAt = (at: number): string => new Date(at).toISOString().slice(0, 10);

export const endOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) + dayMs;

export const keyOf = ({ day, domain }: Pick<DomainDay, 'day' | 'domain'>): string => `${day} ${domain}`;

export function memoOf(value: DomainDay): Memo {
  return { kind: memoKind, key: keyOf(value), value, expiresAt: endOf(value.day) + keptMs };
}

/** Only this folder writes memos of the kind. */
export const dayOf = ({ value }: Memo): DomainDay => value as DomainDay;
