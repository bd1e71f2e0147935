/** Mail that was to be delivered by some time, or returned, is not delivered after it (RFC 2852 §4.1). */

import { isOver } from '../queue/sender-times.ts';
import type { JobRow } from '../store/job.ts';
import { type Attempt, forgotten, type Outcome } from './outcome.ts';

const timeIsOver: Outcome = {
  kind: 'failed',
  status: '5.4.7',
  phase: 'waiting in the queue',
  reason: 'it could not be delivered by the time that its sender has set',
  rule: 'to be delivered by then, or returned (BY, RFC 2852)',
  isOurs: true,
};

/** Tries those whose time is not over; `attempt` is asked of nobody else. */
export function tryInTime<J extends JobRow>(
  jobs: readonly J[],
  now: number,
  attempt: (jobs: readonly J[]) => Promise<Attempt>,
): Promise<Attempt> {
  return jobs.some((job) => isOver(job, now)) ? withoutLate(jobs, now, attempt) : attempt(jobs);
}

async function withoutLate<J extends JobRow>(
  jobs: readonly J[],
  now: number,
  attempt: (jobs: readonly J[]) => Promise<Attempt>,
): Promise<Attempt> {
  const inTime = jobs.filter((job) => !isOver(job, now));
  const { outcomes, events } = inTime.length > 0 ? await attempt(inTime) : { outcomes: [], events: [] };
  let made = 0;
  return {
    outcomes: jobs.map((job) => (isOver(job, now) ? timeIsOver : (outcomes[made++] ?? forgotten))),
    events,
  };
}
