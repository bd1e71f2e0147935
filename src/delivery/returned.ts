/** What becomes of a forward that nobody takes: a job for its account's own Junk folder, by the settlement that ends it elsewhere. */

import type { DossierEvent } from '../dossier/event.ts';
import type { RetryPolicy } from '../queue/retry.ts';
import type { JobRow } from '../store/job.ts';
import type { JobResult } from '../store/queue-store.ts';

/**
 * What an account has passed on and nobody takes comes back to it, as junk and not as a report to its sender: who may not
 * know of it, or be forged. Where a copy stayed there, that is enough. Undefined for all other mail.
 */
export function returnToForwarder(
  { queueId, number, recipient, memo }: JobRow,
  { now, reason, retry }: { now: number; reason: string; retry: Pick<RetryPolicy, 'lifetimeMs'> },
): { result: JobResult; arrived?: DossierEvent } | undefined {
  const account = memo?.forwardedBy;
  if (account === undefined) return undefined;
  if (memo?.copyKept) return { result: { number, result: 'done' } };
  return {
    result: {
      number,
      result: 'retry',
      nextAttemptAt: now,
      lastError: reason,
      memo: { returned: { from: recipient, reason } },
      returned: { account, expiresAt: now + retry.lifetimeMs },
    },
    arrived: {
      at: now,
      queueId,
      recipient: account,
      event: 'redirected',
      data: {
        from: recipient,
        rule: 'a forward that nobody takes comes back, as junk; its sender is not told',
      },
    },
  };
}
