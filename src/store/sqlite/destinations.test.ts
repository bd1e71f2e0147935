import { expect, test } from 'vitest';
import { jobNames, sampleJob, sampleMessage, temporaryStore } from '../../testing/store.ts';

test('unholdDestinations() ends the wait of those that were held until that moment, and of no others', async () => {
  await using world = await temporaryStore();
  for (const [id, until] of [
    ['Q1', 5000],
    ['Q2', 6000],
  ] as const) {
    const jobs = [sampleJob(id, { destination: `${id}.example`, expiresAt: 1e9 })];
    await world.store.accept(sampleMessage(id, { jobs, claimed: true }));
    await world.store.release([{ queueId: id, number: 0 }], until);
  }
  await world.store.unholdDestinations(5000, 2000);
  expect(jobNames(await world.store.claim({ now: 2000, limit: 10, leaseMs: 1 }))).toEqual(['Q1/0']);
  expect(await world.store.listDestinations(undefined, 10)).toEqual(['', 'Q1.example', 'Q2.example']);
  expect(await world.store.listDestinations('Q1.example', 10)).toEqual(['Q2.example']);
});
