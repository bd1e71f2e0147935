import { expect, test } from 'vitest';
import { sampleEvent, sampleMessage, temporaryStore } from '../../testing/store.ts';

const letter = (
  queueId: string,
  messageId: string,
  changes: { sentFromHere?: boolean; size?: number } = {},
) => {
  const { size = 1, ...rest } = changes;
  const events = [sampleEvent(queueId, { at: 1000, data: { padding: 'x'.repeat(size) } })];
  return sampleMessage(queueId, { message: { messageId }, events, ...rest });
};
const sentFromHere = true;

test('duty-7: isSentFromHere() knows what was sent from here, and nothing that came in', async () => {
  await using world = await temporaryStore();
  await world.store.accept(letter('Q1', '<Ours@Example.com>', { sentFromHere }));
  await world.store.accept(letter('Q2', '<theirs@example.net>'));
  expect(await world.store.isSentFromHere('<Ours@Example.com>')).toBe(true);
  expect(await world.store.isSentFromHere('<theirs@example.net>')).toBe(false);
  expect(await world.store.isSentFromHere('<unknown@example.net>')).toBe(false);
  const store = await world.reopen();
  expect(await store.isSentFromHere('<Ours@Example.com>')).toBe(true);
});

test('isSentFromHere() knows a message that was sent twice, and none without a dossier', async () => {
  await using world = await temporaryStore();
  await world.store.accept(letter('Q1', '<1@example.com>', { sentFromHere }));
  await world.store.accept(letter('Q2', '<1@example.com>', { sentFromHere }));
  await world.store.accept({ ...letter('Q3', '<untraced@example.com>', { sentFromHere }), events: [] });
  expect(await world.store.isSentFromHere('<1@example.com>')).toBe(true);
  expect(await world.store.isSentFromHere('<untraced@example.com>')).toBe(false);
});

test('isSentFromHere() looks through all groups, and forgets those whose events were pruned', async () => {
  await using world = await temporaryStore();
  const size = 9 * 1024 * 1024; // two fill a group of 16 MiB
  for (let number = 1; number <= 4; number++)
    await world.store.accept(letter(`Q${number}`, `<${number}@example.com>`, { sentFromHere, size }));
  const { store } = world;
  expect(await store.isSentFromHere('<1@example.com>')).toBe(true);
  expect(await store.isSentFromHere('<4@example.com>')).toBe(true);
  await store.pruneEvents({ before: 0, maxBytes: size });
  expect(await store.isSentFromHere('<1@example.com>')).toBe(false);
  expect(await store.isSentFromHere('<4@example.com>')).toBe(true);
});
