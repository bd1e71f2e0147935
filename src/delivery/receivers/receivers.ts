/**
 * What receiving sites have needed of each address of ours: how long they kept greylisted mail waiting, how many
 * attempts at once they took, whether they spoke TLS. Remembered for 30 days, over restarts too (memos of the store),
 * and forgotten by command. Only ever advice: nothing here raises a limit or lowers what is asked of TLS.
 */

import type { DossierEvent } from '../../dossier/event.ts';
import type { RetryPolicy } from '../../queue/retry.ts';
import type { JobRow } from '../../store/job.ts';
import type { Memo } from '../../store/memo-store.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import type { Greylisting } from '../decision.ts';
import type { Outcome, Trouble } from '../outcome.ts';
import { meaningOf } from '../replies/reply-meaning.ts';
import { type KnownReceiver, memoKind, receiverKey, receiverOf } from './receiver-memo.ts';

/** Since it was last learned of. */
export const receiverLifeMs = 30 * 24 * 3600_000;
/** Pairs of a site and an address of ours; the one that was used longest ago is forgotten first. */
export const maxReceivers = 10_000;
/** Waits of one pair, the newest. */
export const maxWaits = 20;
/** What has changed is written after this long, all in one transaction. */
const writeDelayMs = 5_000;
/** Nothing that took longer was greylisting alone. */
const maxLearnedWaitMs = 24 * 3600_000;

export interface ReceiversParts {
  store: Pick<Store, 'listMemos' | 'writeMemos' | 'removeMemos'>;
  clock: Clock;
  log: Log;
}

/** What was learned of one attempt. */
export interface Observation {
  site: string;
  jobs: readonly JobRow[];
  outcomes: readonly Outcome[];
  events: readonly DossierEvent[];
}

export class Receivers {
  readonly #parts: ReceiversParts;
  /** By pair, the one used last at the end. */
  readonly #known = new Map<string, KnownReceiver>();
  /** By site, as it was when this run began: the schedule must be able to replay a run with the same limits. */
  readonly #connections = new Map<string, number>();
  /** Attempts under way, by site. */
  readonly #underWay = new Map<string, number>();
  readonly #changed = new Set<string>();
  /** Forgotten here, and not yet in the store. */
  readonly #forgotten = new Set<string>();
  #cancelWrite: (() => void) | undefined;

  constructor(parts: ReceiversParts) {
    this.#parts = parts;
  }

  /** Reads what an earlier run has learned. */
  async load(): Promise<void> {
    const memos = await this.#parts.store.listMemos(memoKind);
    const all = memos.flatMap((memo) => {
      const known = receiverOf(memo);
      return known ? [known] : [];
    });
    for (const known of all.sort((a, b) => a.learnedAt - b.learnedAt)) this.#remember(known);
    for (const { site, connections = 0 } of this.#known.values())
      this.#connections.set(site, Math.max(this.#connections.get(site) ?? 0, connections));
  }

  /** Writes what is not written yet. */
  async stop(): Promise<void> {
    this.#cancelWrite?.();
    await this.#write();
  }

  /** A command has removed what is known of a site, or of all. */
  forget(site?: string): void {
    if (site === undefined) this.#connections.clear();
    else this.#connections.delete(site);
    for (const [key, known] of this.#known)
      if (site === undefined || known.site === site) this.#known.delete(key);
  }

  /** How many attempts at once a site had taken before this run; undefined where that is not known. */
  connectionsOf(site: string): number | undefined {
    return this.#connections.get(site);
  }

  /** When a greylisted job is likely to be let in; undefined for any other trouble. */
  greylisting(
    site: string,
    job: JobRow,
    trouble: Trouble,
    { waitsMs }: RetryPolicy,
  ): Greylisting | undefined {
    const { reply, endpoint } = trouble;
    const meant = reply && meaningOf(reply);
    if (meant?.meaning !== 'greylisting') return undefined;
    const now = this.#parts.clock.now();
    const source = endpoint?.source;
    // Another address is a stranger again (RFC 6647): the time counts from now.
    const since = job.memo?.source === source ? (job.memo?.greylistedAt ?? now) : now;
    const scheduled = withMargin(waitsMs[Math.min(job.attempts, waitsMs.length - 1)] ?? 0);
    // Who names a short time each time would be called for days, every few seconds: it is taken at its word for so long.
    const leastMs = job.attempts < waitsMs.length ? 0 : scheduled;
    const planned = this.#plan({ site, source, since, now, named: meant.waitMs, leastMs }) ?? {
      at: now + scheduled,
      why: 'by the schedule',
    };
    const from = source === undefined ? '' : `, from the same address (${source})`;
    return { since, nextAttemptAt: planned.at, rule: `greylisting: tried again ${planned.why}${from}` };
  }

  #plan({ site, source, since, now, named, leastMs }: Waiting): { at: number; why: string } | undefined {
    if (named !== undefined && withMargin(named) >= leastMs)
      return { at: now + withMargin(named), why: 'as soon as the receiver says' };
    const needed = percentile90(this.#find(site, source)?.waitsMs ?? []);
    if (needed === undefined) return undefined;
    const at = since + needed; // which was enough, without a margin: with one it would grow each time
    // It was longer this time: the schedule knows as much as we do.
    return at > now ? { at, why: 'when this receiver is likely to take it, as it did before' } : undefined;
  }

  /** An attempt begins; the function that it answers is to be told how it ended. */
  begin(site: string): (seen: Omit<Observation, 'site'>) => void {
    this.#underWay.set(site, (this.#underWay.get(site) ?? 0) + 1);
    return (seen) => {
      const together = this.#underWay.get(site) ?? 1;
      if (together > 1) this.#underWay.set(site, together - 1);
      else this.#underWay.delete(site);
      this.#learn({ site, ...seen }, together);
    };
  }

  #learn({ site, jobs, outcomes, events }: Observation, together: number): void {
    for (const [index, outcome] of outcomes.entries()) {
      const job = jobs[index];
      if (outcome.kind === 'deferred') this.#learnLess(site, outcome, together);
      if (outcome.kind !== 'delivered' || outcome.endpoint === undefined || job === undefined) continue;
      const source = outcome.endpoint.source;
      const known = this.#find(site, source);
      const now = this.#parts.clock.now();
      const learned = {
        ...waitLearned(known, job, source, now),
        ...(together > (known?.connections ?? 0) && { connections: together }),
        ...(known?.tls === undefined && tlsSeen(events)),
      };
      const isStale = known !== undefined && now - known.learnedAt > receiverLifeMs / 2;
      if (Object.keys(learned).length > 0 || isStale)
        this.#note({ site, ...(source !== undefined && { source }), ...known, ...learned, learnedAt: now });
    }
  }

  /** It wants fewer at once than it took before. */
  #learnLess(site: string, { reply, endpoint }: Trouble, together: number): void {
    const known = this.#find(site, endpoint?.source);
    if (known?.connections === undefined || reply === undefined || meaningOf(reply)?.meaning !== 'pace')
      return;
    const connections = Math.max(1, Math.min(known.connections, together - 1));
    if (connections < known.connections) this.#note({ ...known, connections });
  }

  #find(site: string, source: string | undefined): KnownReceiver | undefined {
    const key = receiverKey(site, source);
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    if (known.learnedAt + receiverLifeMs > this.#parts.clock.now()) return known;
    this.#known.delete(key);
    return undefined;
  }

  #note(known: KnownReceiver): void {
    this.#changed.add(this.#remember(known));
    this.#planWrite();
  }

  #remember(known: KnownReceiver): string {
    const key = receiverKey(known.site, known.source);
    this.#known.delete(key);
    this.#known.set(key, known);
    this.#forgotten.delete(key);
    const [oldest] = this.#known.keys();
    if (this.#known.size > maxReceivers && oldest !== undefined) {
      this.#known.delete(oldest);
      this.#forgotten.add(oldest);
      this.#planWrite();
    }
    return key;
  }

  #planWrite(): void {
    this.#cancelWrite ??= this.#parts.clock.after(writeDelayMs, () => void this.#write());
  }

  async #write(): Promise<void> {
    this.#cancelWrite = undefined;
    const forgotten = [...this.#forgotten];
    this.#forgotten.clear();
    const memos = [...this.#changed].flatMap((key): Memo[] => {
      const known = this.#known.get(key);
      return known
        ? [{ kind: memoKind, key, value: known, expiresAt: known.learnedAt + receiverLifeMs }]
        : [];
    });
    this.#changed.clear();
    const { store, log } = this.#parts;
    try {
      if (memos.length > 0) await store.writeMemos(memos);
      if (forgotten.length > 0) await store.removeMemos(memoKind, forgotten);
    } catch (error) {
      // It is known as long as this process runs, and mail is delivered without it.
      log.warn({ err: error }, 'cannot write what was learned of receivers');
    }
  }
}

interface Waiting {
  site: string;
  source: string | undefined;
  since: number;
  now: number;
  /** What the receiver itself says. */
  named: number | undefined;
  /** A shorter time than this is not believed. */
  leastMs: number;
}

/** Clocks differ, and seconds are rounded: who comes a moment too early begins anew at some receivers. */
const withMargin = (waitMs: number): number => Math.round(waitMs * 1.02) + 2_000;

/** As much as nine of ten have needed. */
export function percentile90(waitsMs: readonly number[]): number | undefined {
  const sorted = waitsMs.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.9) - 1];
}

function waitLearned(
  known: KnownReceiver | undefined,
  { memo }: JobRow,
  source: string | undefined,
  now: number,
): Pick<KnownReceiver, 'waitsMs'> {
  const waitMs =
    memo?.greylistedAt === undefined || memo.source !== source ? undefined : now - memo.greylistedAt;
  if (waitMs === undefined || waitMs > maxLearnedWaitMs) return {};
  return { waitsMs: [...(known?.waitsMs ?? []), waitMs].slice(-maxWaits) };
}

function tlsSeen(events: readonly DossierEvent[]): Pick<KnownReceiver, 'tls'> {
  const last = events.findLast((event) => event.event === 'attempted');
  const version = last?.event === 'attempted' ? last.data.tls?.version : undefined;
  return version === undefined ? {} : { tls: version };
}
