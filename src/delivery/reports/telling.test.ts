import { expect, test } from 'vitest';
import { defaultRetryPolicy } from '../../queue/retry.ts';
import type { JobRow } from '../../store/job.ts';
import { sampleJob, sampleMessage } from '../../testing/store.ts';
import { createLog } from '../../util/log.ts';
import { decide } from '../decision.ts';
import type { Outcome } from '../outcome.ts';
import type { ReportParts } from './report.ts';
import { type Told, tell, untoldWaitMs } from './telling.ts';

const now = 10_000;
const refused: Outcome = {
  kind: 'failed',
  status: '5.1.1',
  phase: '',
  reason: 'no such user',
  rule: 'final',
};
const noReply: Outcome = { kind: 'inDoubt', status: '4.4.2', phase: '', reason: 'cut', rule: 'try again' };
const busy: Outcome = { kind: 'deferred', status: '4.3.0', phase: '', reason: 'busy', rule: 'try again' };

/** As when the code that writes reports has a bug. */
function tellBroken(jobs: readonly (readonly [Partial<JobRow>, Outcome])[]): Promise<Told> {
  const report = {
    get directory(): never {
      throw new Error('a bug');
    },
    signers: new Map(),
  } as unknown as ReportParts;
  const decided = jobs.map(([changes, outcome], number) => {
    const job = sampleJob('Q1', { number, queuedAt: now, expiresAt: now + 1e9, ...changes });
    return {
      job,
      outcome,
      decision: decide({ retry: defaultRetryPolicy, random: () => 0.5, now }, job, outcome),
    };
  });
  return tell({ report, log: createLog('silent'), now }, sampleMessage('Q1').message, decided);
}

test('P10: where the report cannot be written, who was delivered to stays so, and the others are tried again', async () => {
  const { decisions, reports } = await tellBroken([
    [{}, { kind: 'delivered' }],
    [{}, refused],
    [{}, busy],
  ]);
  expect(reports).toEqual({ entries: [], events: [] });
  expect(decisions.map(({ result }) => result)).toMatchObject([
    { number: 0, result: 'done' },
    { number: 1, result: 'retry', nextAttemptAt: now + untoldWaitMs },
    { number: 2, result: 'retry', lastError: 'busy' },
  ]);
  expect(decisions.map(({ event }) => event.event)).toEqual(['delivered', 'deferred', 'deferred']);
});

test('a doubt is counted though the report of it cannot be written', async () => {
  const { decisions } = await tellBroken([[{ memo: { lostReplies: 2 } }, noReply]]);
  expect(decisions[0]?.result).toMatchObject({ result: 'retry', memo: { lostReplies: 3 } });
});

test('a delay of which the report cannot be written is told of at the next attempt', async () => {
  const late = { queuedAt: now - defaultRetryPolicy.delayWarningMs - 1 };
  const { decisions } = await tellBroken([[late, busy]]);
  expect(decisions[0]).not.toHaveProperty('delay');
  expect(decisions[0]?.result).toMatchObject({ result: 'retry', memo: { told: [] } });
});
