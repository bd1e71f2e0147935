/** A domain's day as the store keeps it, from the first thing that was counted to the last report: one memo. */

import type { DossierEvent } from '../dossier/event.ts';
import type { Memo } from '../store/memo-store.ts';
import type { MessageRequests } from '../store/message.ts';

/** What fails is tried again for a day from the first attempt on (RFC 8460 §5.5). */
export const retryForMs = 24 * 3600_000;

export interface DomainDay<Tally> {
  /** A-labels. */
  domain: string;
  /** UTC, `2026-11-27`. */
  day: string;
  tally: Tally;
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
  /** Of the message, at most. */
  maxBytes?: number;
}

/** What the kinds of reports differ in. */
export interface DayKind<Tally> {
  /** Of the memos. */
  memoKind: string;
  /** For the log, and its plural: `TLS report`, `TLS reports`. */
  name: string;
  names: string;
  /** Who is to be told; undefined where DNS does not say. Rejects with the signal's reason. */
  findTargets(
    day: DomainDay<Tally>,
    signal: AbortSignal,
  ): Promise<Omit<Target, 'queueId' | 'state'>[] | undefined>;
  compose(day: DomainDay<Tally>, reportId: string): Promise<ReportToSend>;
  /** What it comes to, for the log. */
  factsOf(tally: Tally): Readonly<Record<string, number>>;
  /** For the dossier of the target's queue id. `problem` is absent where it was sent. */
  eventOf(day: DomainDay<Tally>, target: Target, told: { at: number; problem?: string }): DossierEvent;
}

export interface ReportToSend {
  gzip: Buffer;
  /** Its media type. */
  type: string;
  /** The complete message, CRLF line ends, 7bit. */
  mail(to: { to: string; now: number; messageId: string }): Buffer;
  /** What is asked of all hops. */
  requests?: MessageRequests;
}

const dayMs = 24 * 3600_000;

/** The memo of a day that nobody could report goes by itself. */
const keptMs = 4 * dayMs;

/** The UTC day of a moment. */
export const dayAt = (at: number): string => new Date(at).toISOString().slice(0, 10);

export const endOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) + dayMs;

export const keyOf = ({ day, domain }: { day: string; domain: string }): string => `${day} ${domain}`;

export function memoOf<Tally>(kind: string, value: DomainDay<Tally>): Memo {
  return { kind, key: keyOf(value), value, expiresAt: endOf(value.day) + keptMs };
}

/** Only this folder writes memos of these kinds, each with its own tallies. */
export const dayOf = <Tally>({ value }: Memo): DomainDay<Tally> => value as DomainDay<Tally>;
