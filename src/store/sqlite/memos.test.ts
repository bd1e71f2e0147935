import { expect, test } from 'vitest';
import { fakeClock } from '../../testing/fake-clock.ts';
import { temporaryStore } from '../../testing/store.ts';

test('writeMemos() writes in the place of what has the same kind and key', async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  await store.writeMemos([
    { kind: 'site', key: 'b', value: { wait: 1 } },
    { kind: 'site', key: 'a', value: 'first' },
    { kind: 'other', key: 'a', value: null },
  ]);
  await store.writeMemos([{ kind: 'site', key: 'a', value: ['second'] }]);
  expect(await store.findMemo('site', 'a')).toEqual({ kind: 'site', key: 'a', value: ['second'] });
  expect(await store.findMemo('site', 'c')).toBeUndefined();
  expect((await store.listMemos('site')).map(({ key }) => key)).toEqual(['a', 'b']);
});

test('findMemo() and listMemos() pass over what has expired', async () => {
  const clock = fakeClock();
  await using opened = await temporaryStore({ clock });
  const { store } = opened;
  const expiresAt = clock.now() + 1000;
  await store.writeMemos([{ kind: 'policy', key: 'example.org', value: 1, expiresAt }]);
  await clock.advance(999);
  expect(await store.findMemo('policy', 'example.org')).toMatchObject({ value: 1, expiresAt });
  await clock.advance(1);
  expect(await store.findMemo('policy', 'example.org')).toBeUndefined();
  expect(await store.listMemos('policy')).toEqual([]);
});

test('removeMemos() says how many there were, and tells the dossiers', async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  const told = { at: 1, queueId: 'Q1', event: 'dropped', data: { by: 'somebody' } };
  await store.writeMemos([{ kind: 'site', key: 'a', value: 1 }], [told]);
  expect(await store.removeMemos('site', ['a', 'b'], [{ ...told, at: 2 }])).toBe(1);
  expect(await store.listMemos('site')).toEqual([]);
  expect(await store.trace({ queueId: 'Q1', limit: 1 })).toEqual([told, { ...told, at: 2 }]);
});

test('memos are there after a restart, and the expired ones go with the next writing', async () => {
  const clock = fakeClock();
  await using opened = await temporaryStore({ clock });
  await opened.store.writeMemos([
    { kind: 'k', key: 'short', value: 1, expiresAt: clock.now() + 10 },
    { kind: 'k', key: 'long', value: 2 },
  ]);
  await clock.advance(10);
  const again = await opened.reopen();
  await again.writeMemos([]);
  expect(await again.removeMemos('k', ['short', 'long'])).toBe(1);
});
