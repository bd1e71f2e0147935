/** What a sender has asked to hear about a recipient (RFC 3461 §5.2), read from the job; and what there is to tell of success. */

import type { FailedRecipient, NamedRecipient } from '../../dsn/failure.ts';
import type { ReachedRecipient } from '../../dsn/success.ts';
import { originalRecipient } from '../../smtp/rcpt-parameters.ts';
import type { JobRequests, JobRow } from '../../store/job.ts';
import type { Outcome } from '../outcome.ts';

/** How a report names the recipient of a job. */
export function namesOf({ recipient, originalRecipient: alias, requests, memo }: JobRow): NamedRecipient {
  const orcpt = requests?.orcpt === undefined ? undefined : originalRecipient(requests.orcpt);
  return {
    recipient,
    ...(alias !== undefined && { originalRecipient: alias }),
    ...(orcpt && { orcpt }),
    ...(memo?.list && { errorsTo: memo.list.owner }),
  };
}

/** Without NOTIFY a failure is told; with it, where it says so (§5.2.6). */
function wantsFailures({ requests }: JobRow): boolean {
  return requests?.notify === undefined || requests.notify.includes('failure');
}

/** Without NOTIFY a delay is told as we see fit; with it, where it says so (§5.2.5, §4.1). */
export function wantsDelays({ requests, memo }: JobRow): boolean {
  // Where somebody's mail goes on to is theirs to know.
  if (memo?.forwardedBy !== undefined) return false;
  return requests?.notify === undefined || requests.notify.includes('delay');
}

/**
 * What the next server is asked to report. Of what somebody has passed on it is not asked for success: where it went is
 * theirs to know, and that it went on is told by us.
 */
export function askedOfNext({ requests, memo }: JobRow): JobRequests | undefined {
  if (memo?.forwardedBy === undefined) return requests;
  return requests?.notify?.includes('never') ? { notify: ['never'] } : undefined;
}

/** The mark of a failure that the sender does not want to hear of. */
export const unwantedBy = (job: JobRow): Pick<FailedRecipient, 'unwanted'> =>
  wantsFailures(job) ? {} : { unwanted: true };

/**
 * What the sender wants to hear of a success, where it is ours to tell: of a mailbox of ours (§5.2.3 a), of what is no
 * SMTP server (§5.2.4 b), and of a receiver without DSN (§5.2.2 b). Undefined for nearly all mail.
 */
export function reachedBy(
  job: JobRow,
  outcome: Outcome & { kind: 'delivered' },
  at: number,
): ReachedRecipient | undefined {
  const forwarder = job.memo?.forwardedBy;
  const isWanted =
    job.requests?.notify?.includes('success') && (!outcome.reportsThere || forwarder !== undefined);
  if (!isWanted && !leavesItsTime(job, outcome)) return undefined;
  // Where somebody's mail goes on to, and what is said there, is theirs to know.
  if (forwarder !== undefined) {
    const { originalRecipient: recipient = forwarder, ...names } = namesOf(job);
    return { ...names, recipient, action: 'relayed', at };
  }
  const { endpoint, program, reply } = outcome;
  return {
    ...namesOf(job),
    action: job.kind === 'local' || program !== undefined ? 'delivered' : 'relayed',
    ...(endpoint && { endpoint }),
    ...(reply && { reply }),
    at,
  };
}

/**
 * Mail that is to be delivered by some time was passed on to a server that does not know of it, or to any, where the sender
 * wants a trace (RFC 2852 §4.1): then it is told how far that went.
 */
function leavesItsTime(
  { kind, requests }: JobRow,
  { keepsTimeThere, program }: Outcome & { kind: 'delivered' },
): boolean {
  const { deliverBy, notify } = requests ?? {};
  if (deliverBy === undefined || kind === 'local' || program !== undefined || notify?.includes('never'))
    return false;
  return deliverBy.trace === true || keepsTimeThere !== true;
}
