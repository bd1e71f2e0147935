import { describe, expect, test } from 'vitest';
import { Maildrop } from './maildrop.ts';

const maildrop = () =>
  new Maildrop([10, 20, 30].map((sizeBytes) => ({ sizeBytes, uniqueId: `of ${sizeBytes} octets` })));

describe('Maildrop', () => {
  test('counts what is not marked, and numbers stay', () => {
    const drop = maildrop();
    drop.markDeleted(2);
    expect([drop.count, drop.sizeBytes]).toEqual([2, 40]);
    expect([...drop.numbered()].map(([number]) => number)).toEqual([1, 3]);
    expect(drop.find(2)).toBeUndefined();
    expect(drop.find(3)?.sizeBytes).toBe(30);
  });

  test('marks once, and only what exists', () => {
    const drop = maildrop();
    for (const number of [3, 1, 3, 0, 4, -1, 0.5]) drop.markDeleted(number);
    expect(drop.marked()).toEqual([1, 3]);
    expect([drop.count, drop.sizeBytes]).toEqual([1, 20]);
  });

  test('unmarkAll() brings all back', () => {
    const drop = maildrop();
    drop.markDeleted(1);
    drop.unmarkAll();
    expect(drop.isMarked(1)).toBe(false);
    expect([drop.count, drop.sizeBytes, drop.marked()]).toEqual([3, 60, []]);
  });
});
