import { expect, test } from 'vitest';
import { createLookups } from './lookups.ts';

test('find() asks once, remembers misses too, and asks again after forget()', async () => {
  const asked: string[] = [];
  const lookups = createLookups(async (key) => {
    asked.push(key);
    return key === 'a' ? 'found' : undefined;
  });
  expect(await Promise.all([lookups.find('a'), lookups.find('a'), lookups.find('b')])).toEqual([
    'found',
    'found',
    undefined,
  ]);
  await lookups.find('b');
  expect(asked).toEqual(['a', 'b']);
  lookups.forget('b');
  await lookups.find('b');
  expect(asked).toEqual(['a', 'b', 'b']);
});

test('find() does not remember a failure', async () => {
  let fails = true;
  const lookups = createLookups(async () => {
    if (fails) throw new Error('not now');
    return 'found';
  });
  await expect(lookups.find('a')).rejects.toThrow('not now');
  fails = false;
  expect(await lookups.find('a')).toBe('found');
});

test('find() forgets all rather than remember more than its capacity', async () => {
  let asked = 0;
  const lookups = createLookups(async () => {
    asked += 1;
    return undefined;
  });
  for (let key = 0; key < 10_000; key++) await lookups.find(String(key));
  await lookups.find('one too many');
  await lookups.find('0');
  expect(asked).toBe(10_002);
});
