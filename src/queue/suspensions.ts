/**
 * What is not to be tried for now, by an operator's word: all delivery, mail to a domain, or to a receiving site. Kept as
 * memos, so that a restart does not end it; asked before anything is tried, of new mail too. Knows no clock.
 */

import type { JobRow } from '../store/job.ts';
import type { Memo } from '../store/memo-store.ts';
import { never } from '../store/never.ts';
import type { Store } from '../store/store.ts';
import { isSite } from './site-name.ts';

export type SuspensionScope = 'all' | 'domain' | 'site';

export interface Suspension {
  scope: SuspensionScope;
  /** The domain in A-labels, or the site as isSite() takes it; '' for all. */
  name: string;
  /** Who, and when: ms since the epoch. */
  by: string;
  at: number;
  /** It ends by itself. */
  until?: number;
  reason?: string;
}

/** What dossiers are told of a suspension, in force or not. */
export interface SuspensionHistory extends Suspension {
  /** May be to come: `until` counts too. */
  endedAt?: number;
  /** Who ended it; absent where its time was over. */
  endedBy?: string;
}

export const suspensionKind = 'suspension';
const suspensionHistoryKind = 'suspension-history';

export const keyOfSuspension = ({ scope, name }: Pick<Suspension, 'scope' | 'name'>): string =>
  scope === 'all' ? 'all' : `${scope} ${name}`;

export const suspensionMemo = (suspension: Suspension): Memo => ({
  kind: suspensionKind,
  key: keyOfSuspension(suspension),
  value: suspension,
  ...(suspension.until !== undefined && { expiresAt: suspension.until }),
});

/** Kept for `rememberMs` after the end. */
export function historyMemo(suspension: SuspensionHistory, rememberMs: number): Memo {
  const { until } = suspension;
  const value: SuspensionHistory = until === undefined ? suspension : { endedAt: until, ...suspension };
  const memo: Memo = {
    kind: suspensionHistoryKind,
    key: `${suspension.at} ${keyOfSuspension(suspension)}`,
    value,
  };
  return value.endedAt === undefined ? memo : { ...memo, expiresAt: value.endedAt + rememberMs };
}

export async function readSuspensionHistory(store: Pick<Store, 'listMemos'>): Promise<SuspensionHistory[]> {
  const memos = await store.listMemos(suspensionHistoryKind);
  return memos.map(({ value }) => value as SuspensionHistory); // written by historyMemo()
}

/** Those in force. */
export async function readSuspensions(store: Pick<Store, 'listMemos'>): Promise<Suspension[]> {
  const memos = await store.listMemos(suspensionKind);
  return memos.map(({ value }) => value as Suspension); // written by suspensionMemo()
}

/**
 * Those in force at a start. A crash may have come between the end of one and the moment when what it held was let go: that
 * is made up for, or it would wait for an end that nobody ordered.
 */
export async function takeUpSuspensions(
  store: Pick<Store, 'listMemos' | 'unholdDestinations'>,
  now: number,
): Promise<Suspension[]> {
  const inForce = await readSuspensions(store);
  const isInForce = (one: SuspensionHistory) =>
    inForce.some(({ at, ...own }) => at === one.at && keyOfSuspension(own) === keyOfSuspension(one));
  const over = (await readSuspensionHistory(store)).filter((each) => !isInForce(each));
  for (const end of new Set(over.map(suspensionEnd))) if (end > now) await store.unholdDestinations(end, now);
  return inForce;
}

/** The first of them by which a job is not tried; `site` is the one that it goes to, where that is known. */
export function suspensionOf(
  suspensions: readonly Suspension[],
  { destination }: Pick<JobRow, 'destination'>,
  { site, now }: { site?: string | undefined; now: number },
): Suspension | undefined {
  return suspensions.find(({ scope, name, until }) => {
    if (until !== undefined && until <= now) return false;
    if (scope === 'domain') return destination.toLowerCase() === name;
    return scope === 'all' || (site !== undefined && isSite(site, name));
  });
}

/** When it ends by itself, ms since the epoch. */
export const suspensionEnd = ({ until }: Suspension): number => until ?? never;

/** What cannot be held by its destination, for other mail goes there by another way, looks again so often. */
const lookAgainMs = 15 * 60_000;

export const lookAgainAt = (suspension: Suspension, now: number): number =>
  Math.min(suspensionEnd(suspension), now + lookAgainMs);

/** `all delivery`, `mail to example.net`, `the site mx.example.net`. */
export function suspendedWhat({ scope, name }: Pick<Suspension, 'scope' | 'name'>): string {
  if (scope === 'all') return 'all delivery';
  return scope === 'domain' ? `mail to ${name}` : `the site ${name}`;
}
