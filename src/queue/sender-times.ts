/** What a sender has asked for of when: held until then (RFC 4865), delivered by then (RFC 2852). Pure. */

import type { JobRequests, JobRow } from '../store/job.ts';
import type { MessageRequests } from '../store/message.ts';

/** Of a message's requests, those that each of its jobs carries too; undefined for nearly all mail. */
export function timesOf(requests: MessageRequests | undefined): JobRequests | undefined {
  if (requests === undefined) return undefined;
  const { deliverBy, priority, releaseAt } = requests;
  if (deliverBy === undefined && priority === undefined && releaseAt === undefined) return undefined;
  return {
    ...(deliverBy && { deliverBy }),
    ...(priority !== undefined && { priority }),
    ...(releaseAt !== undefined && { releaseAt }),
  };
}

/** Its first attempt, and its end: a hold takes nothing of its time. */
export function timesOfJob(
  { releaseAt, deliverBy }: Pick<JobRequests, 'releaseAt' | 'deliverBy'>,
  acceptedAt: number,
  lifetimeMs: number,
): Pick<JobRow, 'nextAttemptAt' | 'expiresAt'> {
  const from = Math.max(acceptedAt, releaseAt ?? acceptedAt);
  const end = from + lifetimeMs;
  return { nextAttemptAt: from, expiresAt: mustReturnAt({ deliverBy }, end) };
}

const mustReturnAt = ({ deliverBy }: { deliverBy: JobRequests['deliverBy'] }, end: number): number =>
  deliverBy?.mode === 'R' ? Math.min(deliverBy.at, end) : end;

/** From when on its sender waits for it. */
export const sentAt = ({ queuedAt, requests }: Pick<JobRow, 'queuedAt' | 'requests'>): number =>
  Math.max(queuedAt, requests?.releaseAt ?? queuedAt);

/** When its sender is told that it is late: after `delayMs`, or at the moment that he has named. */
export function lateAt(job: Pick<JobRow, 'queuedAt' | 'requests'>, delayMs: number): number {
  const { deliverBy } = job.requests ?? {};
  return deliverBy?.mode === 'N' ? deliverBy.at : sentAt(job) + delayMs;
}

/** It was to be delivered by now, or returned. */
export const isOver = ({ requests }: Pick<JobRow, 'requests'>, now: number): boolean =>
  requests?.deliverBy?.mode === 'R' && requests.deliverBy.at <= now;
