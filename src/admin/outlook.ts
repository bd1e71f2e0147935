/** How the recipients of one message stand that wait still: what `posthorn trace` makes its forecast of. */

import { readSuspensions, type Suspension, suspendedWhat, suspensionOf } from '../queue/suspensions.ts';
import type { QueuePage } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Running } from './running.ts';
import type { JobOutlook, OutlookResult } from './shapes/queue.ts';

export interface OutlookParts {
  store: Pick<Store, 'listJobs' | 'countAround' | 'listMemos'>;
  clock: Clock;
  /** Absent where no server runs. */
  running: Pick<Running, 'outlookOf' | 'concurrency'> | undefined;
}

/** Recipients in one answer: each may cost a look-up in DNS. */
const maxJobs = 20;

/** Others before one, and behind, are counted up to this. */
const maxAround = 100_000;

const nobody = { before: 0, after: 0 };

export async function outlookOfMessage(parts: OutlookParts, queueId: string): Promise<OutlookResult> {
  const { store, clock, running } = parts;
  const [{ jobs }, suspensions] = await Promise.all([
    store.listJobs({ queueId, limit: maxJobs }),
    readSuspensions(store),
  ]);
  return {
    now: clock.now(),
    ...(running && { concurrency: running.concurrency }),
    jobs: await Promise.all(jobs.map((job) => outlookOfJob(parts, job, suspensions))),
  };
}

async function outlookOfJob(
  { store, clock, running }: OutlookParts,
  job: QueuePage['jobs'][number],
  suspensions: readonly Suspension[],
): Promise<JobOutlook> {
  const { recipient, destination, nextAttemptAt, expiresAt, claimed, memo, reversePath } = job;
  const [{ before: ahead, after: behind }, site] = await Promise.all([
    claimed ? nobody : store.countAround(job, { now: clock.now(), limit: maxAround }),
    running?.outlookOf(job, { reversePath }),
  ]);
  const suspension =
    job.kind === 'remote'
      ? suspensionOf(suspensions, job, { site: site?.site, now: clock.now() })
      : undefined;
  return {
    recipient,
    destination,
    nextAttemptAt,
    expiresAt,
    claimed,
    ahead,
    behind,
    ...(memo?.held && { heldBy: memo.held.by }),
    ...(suspension && {
      suspended: {
        what: suspendedWhat(suspension),
        ...(suspension.until !== undefined && { until: suspension.until }),
      },
    }),
    ...(site && { site }),
  };
}
