/** How the recipients of one message stand that wait still: what `posthorn trace` makes its forecast of. */

import type { QueuePage, Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { JobOutlook, OutlookResult } from './admin.ts';
import type { Running } from './local-admin.ts';

export interface OutlookParts {
  store: Pick<Store, 'listJobs' | 'countAhead'>;
  clock: Clock;
  /** Absent where no server runs. */
  running: Pick<Running, 'outlookOf' | 'concurrency'> | undefined;
}

/** Recipients in one answer: each may cost a look-up in DNS. */
const maxJobs = 20;

/** Others before one are counted up to this. */
const maxAhead = 100_000;

export async function outlookOfMessage(parts: OutlookParts, queueId: string): Promise<OutlookResult> {
  const { store, clock, running } = parts;
  const { jobs } = await store.listJobs({ queueId, limit: maxJobs });
  return {
    now: clock.now(),
    ...(running && { concurrency: running.concurrency }),
    jobs: await Promise.all(jobs.map((job) => outlookOfJob(parts, job))),
  };
}

async function outlookOfJob(
  { store, running }: OutlookParts,
  job: QueuePage['jobs'][number],
): Promise<JobOutlook> {
  const { recipient, destination, nextAttemptAt, expiresAt, claimed, memo, reversePath } = job;
  const [ahead, site] = await Promise.all([
    claimed ? 0 : store.countAhead(job, maxAhead),
    running?.outlookOf(job, { reversePath }),
  ]);
  return {
    recipient,
    destination,
    nextAttemptAt,
    expiresAt,
    claimed,
    ahead,
    ...(memo?.held && { heldBy: memo.held.by }),
    ...(site && { site }),
  };
}
