import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeAllJobs, sampleJob, sampleMessage, temporaryStore } from '../testing/store.ts';
import { Backlog, type Waiting } from './backlog.ts';

interface Job extends Waiting {
  queueId: string;
}

type Move =
  | { kind: 'put'; destination: string; inMs: number; lifeMs: number }
  | { kind: 'claim'; limit: number; afterMs: number }
  | { kind: 'retry' | 'release'; which: number; inMs: number; holdMs: number | undefined };

const destination = fc.constantFrom('a.example', 'b.example', 'c.example');
const moves: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), destination, inMs: fc.nat(3000), lifeMs: fc.nat(90_000) }),
  fc.record({
    kind: fc.constant('claim' as const),
    limit: fc.integer({ min: 1, max: 9 }),
    afterMs: fc.nat(4000),
  }),
  fc.record({
    kind: fc.constantFrom('retry' as const, 'release' as const),
    which: fc.nat(20),
    inMs: fc.nat(9000),
    holdMs: fc.option(fc.nat(9000), { nil: undefined }),
  }),
);

describe('Backlog', () => {
  test('claims, holds and expires as the real store does', async () => {
    await using temporary = await temporaryStore();
    const { store } = temporary;
    let count = 0;
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(moves, { minLength: 10, maxLength: 40 }), async (all) => {
        await changeAllJobs(store, { kind: 'drop' });
        // Rows without a job are found out by a claim; till then they count as destinations.
        await store.claim({ now: 1e12, limit: 1000, leaseMs: 1, byShares: true });
        const backlog = new Backlog<Job>();
        let claimed: Job[] = [];
        let now = 1000;
        // What the store remembers of a destination of an earlier run is none of this one's.
        const run = runs++;
        for (const move of all) {
          if (move.kind === 'put') {
            const number = count++;
            const queueId = `Q${String(number).padStart(9, '0')}`;
            const where = `${run}.${move.destination}`;
            const times = { nextAttemptAt: now + move.inMs, expiresAt: now + move.lifeMs };
            await store.accept(
              sampleMessage(queueId, {
                jobs: [sampleJob(queueId, { destination: where, ...times })],
              }),
            );
            backlog.put({ queueId, number, destination: where, ...times });
          } else if (move.kind === 'claim') {
            now += move.afterMs;
            const real = await store.claim({ now, limit: move.limit, leaseMs: 1e9, byShares: true });
            const simulated = backlog.claim(now, move.limit);
            // Of those that reach their end at one moment, either may be first.
            expect(simulated.map(({ queueId }) => queueId).sort()).toEqual(
              real.map(({ message }) => message.queueId).sort(),
            );
            claimed = [...claimed, ...simulated];
          } else {
            const job = claimed[move.which % Math.max(1, claimed.length)];
            if (job === undefined) continue;
            claimed = claimed.filter((other) => other !== job);
            if (move.kind === 'release') {
              await store.release([{ queueId: job.queueId, number: 0 }], now + move.inMs);
              backlog.release(job, now + move.inMs);
            } else {
              job.nextAttemptAt = now + move.inMs;
              const holdUntil = move.holdMs === undefined ? undefined : now + move.holdMs;
              await store.settle({
                queueId: job.queueId,
                results: [{ number: 0, result: 'retry', nextAttemptAt: job.nextAttemptAt, lastError: 'x' }],
                events: [],
                reports: [],
                ...(holdUntil !== undefined && { holdUntil }),
              });
              backlog.put(job, holdUntil);
            }
          }
        }
        // The rest is claimed by neither store, or by both.
        for (const { queueId } of claimed)
          await store.settle({ queueId, results: [{ number: 0, result: 'done' }], events: [], reports: [] });
        expect(backlog.size).toBe((await store.listJobs({ limit: 1000 })).jobs.length);
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });
});
