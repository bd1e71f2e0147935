/**
 * The store of a simulation: what waits, by destination, is claimed and held as the real one does it
 * (store/sqlite/claims.ts and destinations.ts), but in memory.
 */

import { firstShare, largestShare, mostExpired, newestOf, restMs } from '../store/sqlite/destinations.ts';
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

/** Both lists may have entries of jobs that were claimed, or put again, since. */
interface Row<T> {
  dueAt: number;
  share: number;
  /** Those that were due at the last claim, in order; before `head` they have been taken. */
  due: Entry<T>[];
  head: number;
  later: Heap<Entry<T>>;
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
      due: [],
      head: 0,
      later: new Heap<Entry<T>>(isBefore),
    };
    this.#rows.set(job.destination, row);
    row.later.push(entry);
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
      all.push(...this.#claimFrom(row, Math.min(limit - all.length, row.share), now));
      const next = this.#nextOf(row);
      if (next === undefined) this.#rows.delete(destination);
      row.dueAt = Math.max(next?.nextAttemptAt ?? 0, now + restMs(row.share));
      row.share = Math.min(2 * row.share, largestShare);
    }
    return all;
  }

  #claimFrom(row: Row<T>, count: number, now: number): T[] {
    for (let next = this.#firstLater(row); next && next.nextAttemptAt <= now; next = this.#firstLater(row)) {
      insert(row, next);
      row.later.pop();
    }
    const oldest = this.#takeDue(count - newestOf(count), () => row.due[row.head++]);
    const newest = this.#takeDue(newestOf(count), () =>
      row.due.length > row.head ? row.due.pop() : undefined,
    );
    if (row.head >= row.due.length) {
      row.due = [];
      row.head = 0;
    }
    return [...oldest, ...newest];
  }

  #takeDue(count: number, take: () => Entry<T> | undefined): T[] {
    const jobs: T[] = [];
    while (jobs.length < count) {
      const entry = take();
      if (entry === undefined) break;
      if (this.#counts(entry)) jobs.push(this.#take(entry.job));
    }
    return jobs;
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

  #nextOf(row: Row<T>): Entry<T> | undefined {
    for (; row.head < row.due.length; row.head++) {
      const entry = row.due[row.head];
      if (entry && this.#counts(entry)) return entry;
    }
    return this.#firstLater(row);
  }

  #firstLater({ later }: Row<T>): Entry<T> | undefined {
    return firstThat(later, (entry) => this.#counts(entry));
  }

  #counts(entry: Entry<T>): boolean {
    return this.#stored.get(entry.job) === entry;
  }
}

const isBefore = <T extends Waiting>(one: Entry<T>, other: Entry<T>): boolean =>
  one.nextAttemptAt === other.nextAttemptAt
    ? one.job.number < other.job.number
    : one.nextAttemptAt < other.nextAttemptAt;

/** At its place: what comes back has been due for longer than others. */
function insert<T extends Waiting>({ due, head }: Row<T>, entry: Entry<T>): void {
  let from = head;
  let until = due.length;
  while (from < until) {
    const middle = (from + until) >> 1;
    const other = due[middle];
    if (other && isBefore(other, entry)) from = middle + 1;
    else until = middle;
  }
  due.splice(from, 0, entry);
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
