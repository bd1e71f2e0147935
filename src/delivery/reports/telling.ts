/**
 * Who is told of what was decided. Where that cannot be put into words (a bug of ours), what is done stays done, for
 * sent again it would arrive twice; and whose end nobody could be told of is tried again later.
 */

import { attemptsMade } from '../../queue/retry.ts';
import type { JobMemo, JobRow } from '../../store/job.ts';
import type { MessageRow } from '../../store/message.ts';
import type { JobResult } from '../../store/queue-store.ts';
import type { Log } from '../../util/log.ts';
import type { Decision } from '../decision.ts';
import type { Outcome } from '../outcome.ts';
import { type ReportParts, type Reports, reportsFor } from './report.ts';

/** One job's part of an attempt. */
export interface Decided {
  job: JobRow;
  outcome: Outcome;
  decision: Decision;
}

export interface Told {
  decisions: readonly Decision[];
  reports: Reports;
}

/** A report that could not be written is tried again, by another attempt, after this long. */
export const untoldWaitMs = 3600_000;

/** The reports that this gives rise to, and what stands of the decisions. */
export async function tell(
  { report, log, now }: { report: ReportParts; log: Log; now: number },
  message: MessageRow,
  decided: readonly Decided[],
): Promise<Told> {
  const decisions = decided.map(({ decision }) => decision);
  try {
    const reports = await reportsFor(report, message, {
      failures: decisions.flatMap(({ failure }) => failure ?? []),
      reached: decisions.flatMap(({ reached }) => reached ?? []),
      delays: decisions.flatMap(({ delay }) => delay ?? []),
    });
    return { decisions, reports };
  } catch (error) {
    log.error({ err: error, queueId: message.queueId }, 'a report cannot be written; tried again later');
    return {
      decisions: decided.map((each) => withoutReport(each, now)),
      reports: { entries: [], events: [] },
    };
  }
}

function withoutReport({ job, outcome, decision }: Decided, now: number): Decision {
  const { result, event, failure, delay } = decision;
  if (failure) return untold(job, outcome, now);
  if (!delay || result.result !== 'retry') return decision;
  // Not told after all: the next attempt does it.
  return { result: withMemo(result, { ...result.memo, told: job.memo?.told ?? [] }), event };
}

function untold(job: JobRow, outcome: Outcome, now: number): Decision {
  const { queueId, number, recipient, memo } = job;
  const nextAttemptAt = now + untoldWaitMs;
  const reason = 'internal error: the report of the failure cannot be written; see the log';
  const lostReplies = (memo?.lostReplies ?? 0) + (outcome.kind === 'inDoubt' ? 1 : 0);
  const retry = { number, result: 'retry' as const, nextAttemptAt, lastError: reason };
  const kept = { ...memo, ...(lostReplies > 0 && { lostReplies }) };
  const rule = 'nobody is given up without a word: tried again until the report can be written';
  const data = {
    status: '4.3.0',
    phase: 'writing a report',
    rule,
    reason,
    attempts: attemptsMade(job) + 1,
    nextAttemptAt,
  };
  return {
    result: withMemo(retry, kept),
    event: { at: now, queueId, recipient, event: 'deferred', data },
  };
}

type Retry = JobResult & { result: 'retry' };

const withMemo = ({ memo: _, ...result }: Retry, memo: JobMemo): Retry =>
  Object.keys(memo).length > 0 ? { ...result, memo } : result;
