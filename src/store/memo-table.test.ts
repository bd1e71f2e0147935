import * as v from 'valibot';
import { expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { memosInMemory } from '../testing/memos.ts';
import { createLog } from '../util/log.ts';
import { MemoTable, writeDelayMs } from './memo-table.ts';

const shape = v.object({ at: v.number() });

function setup(maxEntries = 100) {
  const [clock, store] = [fakeClock(), memosInMemory()];
  const parts = { store, clock, log: createLog('silent'), kind: 'test', shape, maxEntries };
  const read = () => MemoTable.read({ ...parts, endOf: ({ at }) => at + 1000_000 });
  return { clock, store, read };
}

test('what has changed is written together, some seconds later', async () => {
  const { clock, store, read } = setup();
  const table = await read();
  for (let at = 0; at < 50; at++) table.set(`k${at}`, { at: clock.now() });
  clock.advance(writeDelayMs - 1);
  expect(store.writes).toBe(0);
  clock.advance(1);
  await table.flush();
  expect(store.writes).toBe(1);
  expect((await read()).size).toBe(50);
});

test('flush() writes the rest, and what was deleted is gone', async () => {
  const { clock, read } = setup();
  const table = await read();
  table.set('a', { at: clock.now() });
  table.set('b', { at: clock.now() });
  table.delete('a');
  await table.flush();
  expect((await read()).entries().map(([key]) => key)).toEqual(['b']);
});

test('what has ended is not there any more', async () => {
  const { clock, read } = setup();
  const table = await read();
  table.set('a', { at: clock.now() });
  clock.advance(999_999);
  expect(table.get('a')).toBeDefined();
  clock.advance(1);
  expect(table.entries()).toEqual([]);
  expect(table.get('a')).toBeUndefined();
});

test('of more than fit, those go that were used longest ago', async () => {
  const { clock, read } = setup(3);
  const table = await read();
  for (const key of ['a', 'b', 'c', 'a', 'd']) table.set(key, { at: clock.now() });
  expect(table.entries().map(([key]) => key)).toEqual(['c', 'a', 'd']);
  await table.flush();
  expect((await read()).size).toBe(3);
});

test('what another version wrote is passed over', async () => {
  const { store, read } = setup();
  await store.writeMemos([{ kind: 'test', key: 'old', value: 'text' }]);
  expect((await read()).size).toBe(0);
});

test('what could not be written is written later', async () => {
  const { clock, store, read } = setup();
  const table = await read();
  const { writeMemos } = store;
  store.writeMemos = () => Promise.reject(new Error('the disk is full'));
  table.set('a', { at: clock.now() });
  await expect(table.flush()).rejects.toThrow('the disk is full');
  store.writeMemos = writeMemos;
  await table.flush();
  expect((await read()).size).toBe(1);
});
