import { expect, test } from 'vitest';
import { sampleEvent, sampleJob, sampleMessage, temporaryStore } from '../../testing/store.ts';
import type { EventRow, TraceQuery } from '../event-store.ts';

const everything = Number.MAX_SAFE_INTEGER;
const idsOf = (events: EventRow[]) => [...new Set(events.map(({ queueId }) => queueId))];

test('trace() gives the events of a message in order of time, as they were appended', async () => {
  await using world = await temporaryStore();
  const accepted = sampleEvent('Q1', { data: { from: 'a@example.com', list: [1, { two: 'ü' }] } });
  const delivered = sampleEvent('Q1', { at: 3000, event: 'delivered', recipient: 'b@example.net' });
  const routed = sampleEvent('Q1', { at: 2000, event: 'routed', recipient: 'b@example.net' });
  await world.store.appendEvents([delivered]);
  await world.store.appendEvents([accepted, sampleEvent('Q2'), routed]);
  expect(await world.store.trace({ queueId: 'Q1', limit: 1 })).toEqual([accepted, routed, delivered]);
});

test('trace() finds a message by queue id, Message-ID, and the addresses of sender and recipients', async () => {
  await using world = await temporaryStore();
  await world.store.accept(
    sampleMessage('Q1', {
      message: { messageId: '<Unique.1@Example.COM>' },
      jobs: [sampleJob('Q1', { recipient: 'Bob@example.net', originalRecipient: 'info@example.net' })],
      events: [sampleEvent('Q1', { data: { to: ['hidden@example.org'] } })],
    }),
  );
  await world.store.appendEvents([
    sampleEvent('Q2', { event: 'refused', data: { from: 'spam@example.org' } }),
  ]);
  const find = async (query: Omit<TraceQuery, 'limit'>) =>
    idsOf(await world.store.trace({ ...query, limit: 9 }));
  expect(await find({ messageId: '<Unique.1@Example.COM>' })).toEqual(['Q1']);
  for (const address of ['sender@example.com', 'bob@example.net', 'info@example.net', 'hidden@example.org']) {
    expect(await find({ address })).toEqual(['Q1']);
  }
  expect(await find({ address: 'spam@example.org' })).toEqual(['Q2']);
  expect(await find({ address: 'ob@example.net' })).toEqual([]);
  expect(await find({ queueId: 'Q9' })).toEqual([]);
});

test('trace() gives the newest dossiers first, at most as many as asked, also across groups of keys', async () => {
  await using world = await temporaryStore();
  const padding = 'x'.repeat(400_000);
  for (let number = 1; number <= 9; number++) {
    await world.store.appendEvents([sampleEvent(`Q${number}`, { data: { from: 'a@example.com', padding } })]);
  }
  expect(idsOf(await world.store.trace({ address: 'a@example.com', limit: 6 }))).toEqual([
    'Q9',
    'Q8',
    'Q7',
    'Q6',
    'Q5',
    'Q4',
  ]);
  expect(idsOf(await world.store.trace({ limit: 2 }))).toEqual(['Q9', 'Q8']);
});

test('pruneEvents() removes what is older than a moment', async () => {
  await using world = await temporaryStore();
  const events = Array.from({ length: 1300 }, (_, at) =>
    sampleEvent(`Q${at}`, { at, data: { from: 'a@example.com' } }),
  );
  await world.store.appendEvents(events);
  expect(await world.store.pruneEvents({ before: 1200, maxBytes: everything })).toBe(1200);
  expect(idsOf(await world.store.trace({ address: 'a@example.com', limit: 9999 }))).toHaveLength(100);
  expect(await world.store.trace({ queueId: 'Q1199', limit: 1 })).toEqual([]);
  expect(await world.store.pruneEvents({ before: 1200, maxBytes: everything })).toBe(0);
});

test('pruneEvents() removes the oldest until the rest is small enough', async () => {
  await using world = await temporaryStore();
  for (let number = 1; number <= 10; number++) {
    await world.store.appendEvents([sampleEvent(`Q${number}`, { data: { padding: 'x'.repeat(1000) } })]);
  }
  expect(await world.store.pruneEvents({ before: 0, maxBytes: 5500 })).toBe(5);
  expect(idsOf(await world.store.trace({ limit: 99 }))).toEqual(['Q10', 'Q9', 'Q8', 'Q7', 'Q6']);
});

test('the log goes on after all of it was pruned and the store was opened anew', async () => {
  await using world = await temporaryStore();
  await world.store.appendEvents([sampleEvent('Q1', { data: { from: 'a@example.com' } })]);
  await world.store.pruneEvents({ before: everything, maxBytes: 0 });
  const store = await world.reopen();
  await store.appendEvents([sampleEvent('Q2', { data: { from: 'a@example.com' } })]);
  expect(idsOf(await store.trace({ address: 'a@example.com', limit: 9 }))).toEqual(['Q2']);
});

test('the log does not grow by being opened', async () => {
  await using world = await temporaryStore();
  await world.store.appendEvents([sampleEvent('Q1', { data: { from: 'a@example.com' } })]);
  let store = world.store;
  for (let restart = 0; restart < 3; restart++) store = await world.reopen();
  await store.appendEvents([sampleEvent('Q2')]);
  expect(await store.pruneEvents({ before: 0, maxBytes: 10_000 })).toBe(0);
  expect(idsOf(await store.trace({ limit: 9 }))).toEqual(['Q2', 'Q1']);
});
