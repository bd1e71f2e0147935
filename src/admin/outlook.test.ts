import { describe, expect, test } from 'vitest';
import { adminStage } from '../testing/admin-stage.ts';
import { changeAllJobs, sampleJob, sampleMessage } from '../testing/store.ts';
import { localAdmin } from './local-admin.ts';

const stage = adminStage();

describe('outlook()', () => {
  test('P7: tells of each recipient that waits when it may go, how its site stands, and how many go before', async () => {
    const jobs = ['a.example', 'b.example'].map((destination, number) =>
      sampleJob('OUTLOOK', { number, destination, nextAttemptAt: 5000, expiresAt: 9e15 }),
    );
    await stage.directory.store.accept(sampleMessage('OUTLOOK', { jobs }));
    for (const [id, nextAttemptAt] of [
      ['BEFORE', 4000],
      ['BEHIND', 6000],
    ] as const)
      await stage.directory.store.accept(
        sampleMessage(id, {
          jobs: [sampleJob(id, { destination: 'a.example', nextAttemptAt, expiresAt: 9e15 })],
        }),
      );
    const { jobs: found, concurrency } = await stage.local.outlook({ queueId: 'OUTLOOK' });
    expect(concurrency).toBe(7);
    expect(found).toMatchObject([
      { destination: 'a.example', ahead: 1, behind: 1, claimed: false, site: { site: 'site of a.example' } },
      { destination: 'b.example', ahead: 0, behind: 0, nextAttemptAt: 5000 },
    ]);
    const down = localAdmin(stage.parts());
    const without = await down.outlook({ queueId: 'OUTLOOK' });
    expect(without.concurrency).toBeUndefined();
    expect(without.jobs[0]?.site).toBeUndefined();
    await changeAllJobs(stage.directory.store, { kind: 'drop' });
  });
});
