/**
 * Tells senders of a delay where no attempt comes to do it: of mail that waits behind a site that is down, one row for
 * each destination, only a few are tried. Looks every few minutes at the oldest jobs, each of which is found once. What
 * is told is in the job's memo, in one transaction with the report.
 */

import type { DelayedRecipient } from '../../dsn/failure.ts';
import type { Queue } from '../../queue/queue.ts';
import type { RetryPolicy } from '../../queue/retry.ts';
import { lateAt } from '../../queue/sender-times.ts';
import type { JobRow } from '../../store/job.ts';
import type { ClaimedMessage, JobResult, QueuePage } from '../../store/queue-store.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { type ReportParts, reportsFor } from './report.ts';
import { namesOf, wantsDelays } from './wanted-reports.ts';

export interface DelayWatchParts {
  store: Pick<Store, 'listJobs' | 'claim' | 'release'>;
  queue: Pick<Queue, 'settle'>;
  report: ReportParts;
  retry: Pick<RetryPolicy, 'delayWarningMs'>;
  clock: Clock;
  log: Log;
}

/** So long an attempt has the first word: it knows more. */
export const graceMs = 10 * 60_000;
/** Between two looks. */
export const lookMs = 5 * 60_000;
/** Jobs that are looked at, and told of, at once. */
const pageSize = 200;
/** A claim that is settled at once. */
const leaseMs = 60_000;

export class DelayWatch {
  readonly #parts: DelayWatchParts;
  /** Of all jobs before this page it is known that there is nothing to tell any more. */
  #after: string | undefined;
  #cancel: (() => void) | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: DelayWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock } = this.#parts;
    if (this.#stopped) return;
    this.#cancel = clock.after(lookMs, () => {
      this.#looking = this.look().finally(() => this.start());
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#looking;
  }

  /** Tells of all that is late by now. */
  async look(): Promise<void> {
    try {
      await this.#walk();
    } catch (error) {
      this.#parts.log.error({ err: error }, 'cannot tell senders of a delay; tried again');
    }
  }

  /** The oldest jobs come first: the first page with a young one is the last. */
  async #walk(): Promise<void> {
    const { store, clock, retry } = this.#parts;
    if (retry.delayWarningMs === Number.POSITIVE_INFINITY) return; // senders are never to be told
    const lateBefore = clock.now() - retry.delayWarningMs - graceMs;
    let after = this.#after;
    for (let isDone = true; !this.#stopped; ) {
      const page: QueuePage = await store.listJobs({
        limit: pageSize,
        ...(after !== undefined && { after }),
      });
      const untold = page.jobs.filter((job) => job.queuedAt <= lateBefore && !isTold(job));
      // What is being tried, or is in doubt, gets its word by an attempt; if it does not, it is found again. So is what an
      // operator holds: its time stands still.
      const isLate = (job: JobRow) => lateAt(job, retry.delayWarningMs) <= clock.now();
      const waiting = untold.filter((job) => !job.claimed && !job.inDoubt && !job.memo?.held && isLate(job));
      const areTold = await this.#tell(waiting);
      isDone &&=
        areTold &&
        waiting.length === untold.length &&
        page.jobs.every(({ queuedAt }) => queuedAt <= lateBefore);
      if (page.next === undefined || page.jobs.some(({ queuedAt }) => queuedAt > lateBefore)) return;
      after = page.next;
      if (isDone) this.#after = after;
    }
  }

  /** Whether all of them could be told. */
  async #tell(jobs: readonly JobRow[]): Promise<boolean> {
    if (jobs.length === 0) return true;
    const { store, clock, log } = this.#parts;
    const only = jobs.map(({ queueId, number }) => ({ queueId, number }));
    const claimed = await store.claim({ now: clock.now(), limit: only.length, leaseMs, only });
    let areTold = true;
    for (const each of claimed) {
      try {
        await this.#tellOf(each);
      } catch (error) {
        areTold = false;
        const { queueId } = each.message;
        log.error({ err: error, queueId }, 'cannot tell a sender of a delay; tried again');
        // Left claimed, they would be taken for interrupted attempts.
        await store.release(each.jobs);
      }
    }
    return areTold;
  }

  async #tellOf({ message, jobs }: ClaimedMessage): Promise<void> {
    const delays = jobs.filter(wantsDelays).map((job) => delayOf(job, this.#parts.clock.now()));
    const { entries, events } = await reportsFor(this.#parts.report, message, { delays });
    await this.#parts.queue.settle({
      queueId: message.queueId,
      results: jobs.map(waitingAsBefore),
      events,
      reports: entries,
    });
  }
}

const isTold = ({ memo }: JobRow): boolean => (memo?.told ?? []).length > 0;

const waitingAsBefore = ({ number, nextAttemptAt, lastError = '', memo }: JobRow): JobResult => ({
  number,
  result: 'retry',
  nextAttemptAt,
  lastError,
  memo: { ...memo, told: ['delay'] },
  untried: true,
});

function delayOf(job: JobRow, now: number): DelayedRecipient {
  const { lastError = '', expiresAt } = job;
  return {
    ...namesOf(job),
    status: /^[45]\d\d (4\.\d{1,3}\.\d{1,3}) /.exec(lastError)?.[1] ?? '4.4.0',
    reason: lastError === '' ? 'it waits for its first attempt' : lastError,
    phase: 'waiting for the next attempt',
    rule: 'the site could not be reached, or asked for less: tried again as soon as it answers',
    lastAttemptAt: now,
    willRetryUntil: expiresAt,
  };
}
