/** Ends jobs by an operator's word, as if they had failed: the sender is told who can be (report.ts). */

import type { DossierEvent } from '../../dossier/event.ts';
import type { FailedRecipient } from '../../dsn/failure.ts';
import type { Queue } from '../../queue/queue.ts';
import { defaultRetryPolicy } from '../../queue/retry.ts';
import type { JobRow } from '../../store/job.ts';
import { tracedAs } from '../../store/message.ts';
import type { ClaimedMessage } from '../../store/queue-store.ts';
import { returnToForwarder } from '../returned.ts';
import { type ReportParts, reportsFor } from './report.ts';
import { namesOf, unwantedBy } from './wanted-reports.ts';

export interface BounceParts {
  settle: Queue['settle'];
  report: ReportParts;
}

/** RFC 3463: a failure for good that says no more than that. */
const status = '5.0.0';
const phase = 'waiting in the queue';
const rule = 'an operator of this server ended it';

/** The jobs must be claimed. `by` is who ordered it, and `reason` what the sender is told. */
export async function bounce(
  { settle, report }: BounceParts,
  { message, jobs }: ClaimedMessage,
  { by, reason: why }: { by: string; reason?: string },
): Promise<void> {
  const at = report.clock.now();
  const last = (job: JobRow) => (job.lastError === undefined ? '' : `; the last attempt: ${job.lastError}`);
  const facts = (job: JobRow) => ({
    status,
    phase,
    rule,
    reason: `returned by the operator of this server${why === undefined ? '' : `: ${why}`}${last(job)}`,
  });
  const returns = jobs.map((job) => {
    const { reason } = facts(job);
    return returnToForwarder(job, {
      now: at,
      reason,
      retry: { lifetimeMs: report.lifetimeMs ?? defaultRetryPolicy.lifetimeMs },
    });
  });
  const failures = jobs
    .filter((_, index) => returns[index] === undefined)
    .map(
      (job): FailedRecipient => ({
        ...namesOf(job),
        ...facts(job),
        lastAttemptAt: at,
        ...unwantedBy(job),
        ...((job.inDoubt === true || (job.memo?.lostReplies ?? 0) > 0) && { mayHaveArrived: true }),
      }),
    );
  const events = jobs.map(
    (job): DossierEvent => ({
      at,
      queueId: message.queueId,
      recipient: job.recipient,
      event: 'failed',
      data: { ...facts(job), by },
    }),
  );
  const reports = await reportsFor(report, message, { failures });
  await settle({
    queueId: message.queueId,
    results: jobs.map(({ number }, index) => returns[index]?.result ?? { number, result: 'done' }),
    events: [...events, ...returns.flatMap((back) => back?.arrived ?? []), ...reports.events],
    reports: reports.entries,
    ...tracedAs(message),
  });
}
