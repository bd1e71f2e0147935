/**
 * What follows from an outcome for its job: done, another attempt and when, or the end; and who is to be told. Pure:
 * RFC 5321 §4.5.4.1 (retry and give up), §4.2.5 (no reply to the final dot), and our policy for what may heal.
 */

import type { DossierEvent } from '../dossier/event.ts';
import type { DelayedRecipient, FailedRecipient } from '../dsn/failure.ts';
import type { ReachedRecipient } from '../dsn/success.ts';
import { attemptsMade, nextAttempt, type RetryPolicy, within } from '../queue/retry.ts';
import { isOver, lateAt } from '../queue/sender-times.ts';
import { replyText } from '../smtp/reply.ts';
import type { JobMemo, JobRow } from '../store/job.ts';
import type { JobResult } from '../store/queue-store.ts';
import type { Outcome, Trouble } from './outcome.ts';
import { saysNoSuchUser } from './replies/no-such-user.ts';
import { namesOf, reachedBy, unwantedBy, wantsDelays } from './reports/wanted-reports.ts';
import { returnToForwarder } from './returned.ts';

export interface DecisionParts {
  retry: RetryPolicy;
  /** Gives numbers in [0, 1). */
  random: () => number;
  /** When the attempt ended, in ms since the epoch. */
  now: number;
  /**
   * The moment before which a receiver that greylists will not have this job, where that is known of it; and since when
   * it has known the job.
   */
  greylisting?: (job: JobRow, trouble: Trouble) => Greylisting | undefined;
}

export interface Greylisting {
  since: number;
  nextAttemptAt: number;
  rule: string;
}

export interface Decision {
  result: JobResult;
  event: DossierEvent;
  /** It has come back to the account that passes it on: told of as of a new recipient. */
  arrived?: DossierEvent;
  /** Given up for good: somebody must be told. */
  failure?: FailedRecipient;
  /** Tried again, and the sender is to know. */
  delay?: DelayedRecipient;
  /** The sender wanted to hear of it. */
  reached?: ReachedRecipient;
}

/** Attempts after a refusal that may heal, and their waits: all within 24 hours. */
export const healingWaitsMs: readonly number[] = [1, 5, 16].map((hours) => hours * 3600_000);
/** So many attempts without a reply to the final dot, and the next one is not made. */
export const maxLostReplies = 3;

export function decide(parts: DecisionParts, job: JobRow, outcome: Outcome): Decision {
  switch (outcome.kind) {
    case 'delivered':
      return afterDelivery(parts, job, outcome);
    case 'deferred':
      return afterDeferral(parts, job, outcome);
    case 'inDoubt':
      return afterDoubt(parts, job, outcome);
    case 'failed':
      return outcome.remedy === undefined
        ? giveUp(parts, job, outcome, outcome.rule)
        : afterRefusalThatMayHeal(parts, job, outcome);
  }
}

function afterDelivery(
  { now }: DecisionParts,
  job: JobRow,
  outcome: Outcome & { kind: 'delivered' },
): Decision {
  const reached = reachedBy(job, outcome, now);
  const event = deliveredEvent(job, outcome, now);
  return { result: done(job), event, ...(reached && { reached }) };
}

function afterDeferral(parts: DecisionParts, job: JobRow, trouble: Trouble): Decision {
  const { now, random, retry } = parts;
  const greylisting = parts.greylisting?.(job, trouble);
  const planned = greylisting
    ? within(job, greylisting.nextAttemptAt)
    : notJustBefore(trouble.clearTextFrom, nextAttempt(job, now, random, retry) ?? lastMoment(job, now), job);
  if (planned === undefined) return giveUp(parts, job, trouble, `${trouble.rule}, but ${timeIsOver}`);
  if (!greylisting) {
    // What waits for another reason says nothing of greylisting any more.
    const { greylistedAt: _, ...memo } = job.memo ?? {};
    return tryAgain(parts, job, { trouble, nextAttemptAt: notPastWarning(parts, job, planned), memo });
  }
  const { since: greylistedAt, rule } = greylisting;
  const memo = { ...job.memo, greylistedAt, ...defined({ source: trouble.endpoint?.source }) };
  return tryAgain(parts, job, { trouble: { ...trouble, rule }, nextAttemptAt: planned, memo });
}

/** Mail that is to be delivered by a moment that is not far off is tried once more just before it. */
const lastMomentMs = 10_000;

function lastMoment({ requests, expiresAt }: JobRow, now: number): number | undefined {
  const at = expiresAt - lastMomentMs;
  return requests?.deliverBy?.mode === 'R' && at - now > lastMomentMs ? at : undefined;
}

/** An attempt that comes less than this too early for clear text waits for it: the one after it may be far away. */
const clearTextWaitMs = 60_000;

function notJustBefore(
  clearTextFrom: number | undefined,
  planned: number | undefined,
  job: JobRow,
): number | undefined {
  if (planned === undefined || clearTextFrom === undefined) return planned;
  const isJustBefore = planned < clearTextFrom && clearTextFrom - planned < clearTextWaitMs;
  return isJustBefore ? (within(job, clearTextFrom) ?? planned) : planned;
}

/** The delay is told of when it is there, and with what the receiver says then: so there is an attempt at that time. */
function notPastWarning({ now, retry }: DecisionParts, job: JobRow, planned: number): number {
  const warnAt = lateAt(job, retry.delayWarningMs);
  return warnAt > now && !isTold(job.memo) ? Math.min(planned, warnAt) : planned;
}

const isTold = (memo: JobMemo | undefined): boolean => (memo?.told ?? []).length > 0;

const timeIsOver = 'its time is over: given up';

/** Tried again by the schedule, but not at once: the receiver may be busy with what it has got already. */
function afterDoubt(parts: DecisionParts, job: JobRow, trouble: Trouble): Decision {
  const { now, random, retry } = parts;
  const lostReplies = (job.memo?.lostReplies ?? 0) + 1;
  const doubted = { ...job, memo: { ...job.memo, lostReplies } };
  if (lostReplies >= maxLostReplies)
    return giveUp(
      parts,
      doubted,
      trouble,
      `${maxLostReplies} attempts ended so: it may have arrived; given up`,
    );
  const scheduled = nextAttempt(job, now, random, retry);
  const nextAttemptAt = scheduled && within(job, Math.max(scheduled, now + retry.doubtWaitMs));
  if (nextAttemptAt === undefined)
    return giveUp(parts, doubted, trouble, `${trouble.rule}, but ${timeIsOver}`);
  const again = tryAgain(parts, job, { trouble, nextAttemptAt, memo: doubted.memo });
  const { queueId, recipient } = job;
  const data = { ...factsOf(trouble), lostReplies, nextAttemptAt };
  return { ...again, event: { at: now, queueId, recipient, event: 'inDoubt', data } };
}

/** A few more attempts; the sender is told at the first of them. */
function afterRefusalThatMayHeal(parts: DecisionParts, job: JobRow, trouble: Trouble): Decision {
  const healing = job.memo?.healing ?? 0;
  const waitMs = healingWaitsMs[healing];
  const nextAttemptAt = waitMs === undefined ? undefined : within(job, parts.now + waitMs);
  if (nextAttemptAt === undefined)
    return giveUp(parts, job, trouble, `${trouble.rule}, but it has not: given up`);
  const left = `attempt ${healing + 1} of ${healingWaitsMs.length} to come, within 24 hours in all`;
  const rule = `${trouble.rule}: ${left} (permanentFailures is "careful")`;
  const memo = { ...job.memo, healing: healing + 1 };
  const again = tryAgain(parts, job, { trouble: { ...trouble, rule }, nextAttemptAt, memo, untilTold: true });
  if (memo.told?.includes('healing')) return again;
  const told = [...(memo.told ?? []), 'healing' as const];
  const lastAt = parts.now + healingWaitsMs.slice(healing).reduce((sum, each) => sum + each, 0);
  return {
    ...again,
    result: { ...again.result, memo: { ...memo, told } },
    ...delayOf(
      parts,
      job,
      { ...trouble, rule },
      { mayHeal: true, willRetryUntil: Math.min(lastAt, job.expiresAt) },
    ),
  };
}

interface Again {
  trouble: Trouble;
  nextAttemptAt: number;
  memo: JobMemo;
  /** The sender is told of something else already. */
  untilTold?: boolean;
}

function tryAgain(parts: DecisionParts, job: JobRow, { trouble, nextAttemptAt, memo, untilTold }: Again) {
  const { now, retry } = parts;
  const { queueId, number, recipient } = job;
  const isLate = now >= lateAt(job, retry.delayWarningMs) && !isTold(memo) && !untilTold;
  const kept: JobMemo = isLate ? { ...memo, told: ['delay'] } : memo;
  const result = {
    number,
    result: 'retry' as const,
    nextAttemptAt,
    lastError: trouble.reason,
    ...(Object.keys(kept).length > 0 && { memo: kept }),
  };
  const data = { ...factsOf(trouble), attempts: attemptsMade(job) + 1, nextAttemptAt };
  const event: DossierEvent = { at: now, queueId, recipient, event: 'deferred', data };
  if (!isLate) return { result, event };
  return { result, event, ...delayOf(parts, job, trouble, { willRetryUntil: job.expiresAt }) };
}

/** A refusal for good, or the end of a job's time: never in silence (requirement "not" 7). */
function giveUp(parts: DecisionParts, job: JobRow, given: Trouble, rule: string): Decision {
  const { queueId, recipient } = job;
  const trouble =
    isOver(job, parts.now + lastMomentMs) && given.status.startsWith('4')
      ? { ...given, status: '5.4.7' } // delivery time expired (RFC 3463 §3.5)
      : given;
  const data = { ...factsOf(trouble), rule, ...(saysNoSuchUser(trouble) && { noSuchUser: true }) };
  const event: DossierEvent = { at: parts.now, queueId, recipient, event: 'failed', data };
  const back = returnToForwarder(job, { now: parts.now, reason: trouble.reason, retry: parts.retry });
  if (back) return { ...back, event };
  return {
    result: done(job),
    event,
    failure: {
      ...reported(parts, job, { ...trouble, rule }),
      ...unwantedBy(job),
      ...((job.memo?.lostReplies ?? 0) > 0 && { mayHaveArrived: true }),
    },
  };
}

const done = ({ number }: JobRow): JobResult => ({ number, result: 'done' });

/** Nothing, where the sender does not want to hear of delays. */
function delayOf(
  parts: DecisionParts,
  job: JobRow,
  trouble: Trouble,
  more: Pick<DelayedRecipient, 'willRetryUntil' | 'mayHeal'>,
): { delay?: DelayedRecipient } {
  return wantsDelays(job) ? { delay: { ...reported(parts, job, trouble), ...more } } : {};
}

function reported({ now }: DecisionParts, job: JobRow, trouble: Trouble): FailedRecipient {
  const { status, phase, rule, reason, endpoint, reply } = trouble;
  return {
    ...namesOf(job),
    status,
    phase,
    rule,
    reason,
    lastAttemptAt: now,
    ...defined({ endpoint, reply }),
  };
}

export function deliveredEvent(
  { queueId, recipient }: JobRow,
  { endpoint, folder, file, program, reply }: Outcome & { kind: 'delivered' },
  at: number,
): DossierEvent {
  const data = { ...defined({ endpoint, folder, file, program }), ...(reply && { reply: replyText(reply) }) };
  return { at, queueId, recipient, event: 'delivered', data };
}

type Facts = Pick<Trouble, 'status' | 'phase' | 'rule' | 'reason' | 'endpoint' | 'copyIsDamaged'>;

/** What a dossier keeps of trouble. */
export function factsOf({ status, phase, rule, reason, endpoint, copyIsDamaged }: Trouble): Facts {
  return { status, phase, rule, reason, ...defined({ endpoint, copyIsDamaged }) };
}

/** The object without its undefined properties, as `exactOptionalPropertyTypes` wants it. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Object.fromEntries() forgets the keys' types; they are those of T.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
