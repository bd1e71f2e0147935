/**
 * The store of a simulation: what waits, by destination, is claimed and held as the real one does it
 * (store/sqlite/claims.ts and destinations.ts), but in memory.
 */

import { firstShare, largestShare, mostExpired, restMs } from '../store/sqlite/destinations.ts';
import { Heap } from '../util/heap.ts';

export interface Waiting {
  destination: string;
  nextAttemptAt: number;
  expiresAt: number;
  /** Breaks ties, as a queue id does. */
  number: number;
}

/** A job as it waits: what is put again, with another time, has another of these. */
interface Entry<T> {
  readonly job: T;
  readonly nextAttemptAt: number;
}

interface Row<T> {
  dueAt: number;
  share: number;
  /** With entries of jobs that were claimed, or put again, since. */
  jobs: Heap<Entry<T>>;
}

export class Backlog<T extends Waiting> {
  /** Jobs that can be claimed, and the entry that counts of each. */
  readonly #stored = new Map<T, Entry<T>>();
  readonly #rows = new Map<string, Row<T>>();
  /** May hold jobs that have been claimed since; each once. */
  readonly #byExpiry = new Heap<T>((one, other) =>
    one.expiresAt === other.expiresAt ? one.number < other.number : one.expiresAt < other.expiresAt,
  );
  readonly #inByExpiry = new Set<T>();

  get size(): number {
    return this.#stored.size;
  }

  /** A job waits to be claimed, from its next attempt on; its destination no sooner than `holdUntil`. */
  put(job: T, holdUntil?: number): void {
    const row = this.#enter(job);
    row.dueAt = Math.min(row.dueAt, job.nextAttemptAt);
    if (holdUntil === undefined) return;
    row.dueAt = Math.max(row.dueAt, holdUntil);
    row.share = firstShare;
  }

  /** A claimed job comes back as it was; nothing for its destination is claimed before that moment. */
  release(job: T, holdUntil: number): void {
    const row = this.#enter(job);
    row.dueAt = holdUntil;
    row.share = firstShare;
  }

  #enter(job: T): Row<T> {
    const entry = { job, nextAttemptAt: job.nextAttemptAt };
    this.#stored.set(job, entry);
    if (!this.#inByExpiry.has(job)) this.#byExpiry.push(job);
    this.#inByExpiry.add(job);
    const row = this.#rows.get(job.destination) ?? {
      dueAt: Number.POSITIVE_INFINITY,
      share: firstShare,
      jobs: new Heap<Entry<T>>((one, other) =>
        one.nextAttemptAt === other.nextAttemptAt
          ? one.job.number < other.job.number
          : one.nextAttemptAt < other.nextAttemptAt,
      ),
    };
    this.#rows.set(job.destination, row);
    row.jobs.push(entry);
    return row;
  }

  claim(now: number, limit: number): T[] {
    const all: T[] = [];
    while (all.length < mostExpired(limit)) {
      const job = this.#firstToExpire();
      if (job === undefined || job.expiresAt > now) break;
      all.push(this.#take(job));
    }
    const due = [...this.#rows].filter(([, { dueAt }]) => dueAt <= now);
    due.sort(([name, one], [other, { dueAt }]) => one.dueAt - dueAt || (name < other ? -1 : 1));
    for (const [destination, row] of due.slice(0, limit - all.length)) {
      if (all.length === limit) break;
      this.#claimFrom(row, { all, until: Math.min(limit, all.length + row.share), now });
      const next = this.#firstOf(row.jobs);
      if (next === undefined) this.#rows.delete(destination);
      row.dueAt = Math.max(next?.nextAttemptAt ?? 0, now + restMs(row.share));
      row.share = Math.min(2 * row.share, largestShare);
    }
    return all;
  }

  #claimFrom({ jobs }: Row<T>, { all, until, now }: { all: T[]; until: number; now: number }): void {
    while (all.length < until) {
      const job = this.#firstOf(jobs);
      if (job === undefined || job.nextAttemptAt > now) return;
      all.push(this.#take(job));
    }
  }

  #take(job: T): T {
    this.#stored.delete(job);
    return job;
  }

  nextDue(): number | undefined {
    const rows = [...this.#rows.values()].map(({ dueAt }) => dueAt);
    const next = Math.min(...rows, this.#firstToExpire()?.expiresAt ?? Number.POSITIVE_INFINITY);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  #firstToExpire(): T | undefined {
    return firstThat(
      this.#byExpiry,
      (job) => this.#stored.has(job),
      (gone) => this.#inByExpiry.delete(gone),
    );
  }

  #firstOf(jobs: Heap<Entry<T>>): T | undefined {
    return firstThat(jobs, (entry) => this.#stored.get(entry.job) === entry)?.job;
  }
}

/** The first that counts; those that do not are passed over for good. */
function firstThat<T>(
  heap: Heap<T>,
  counts: (one: T) => boolean,
  passedOver: (one: T) => void = () => undefined,
): T | undefined {
  for (let one = heap.peek(); one !== undefined; one = heap.peek()) {
    if (counts(one)) return one;
    heap.pop();
    passedOver(one);
  }
  return undefined;
}
