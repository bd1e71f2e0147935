import { describe, expect, test } from 'vitest';
import { formatSize, parseSize } from './sizes.ts';

describe('parseSize()', () => {
  test.each([
    ['500M', 500 * 2 ** 20],
    ['2G', 2 * 2 ** 30],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['10 kb', 10_240],
    ['1000', 1000],
    ['0', undefined],
    ['0.0001K', undefined],
    ['', undefined],
    ['M', undefined],
    ['-5M', undefined],
    ['5X', undefined],
    ['999999999999999T', undefined],
  ])('%j is %j', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });
});

describe('formatSize()', () => {
  test.each([
    [1, '1 byte'],
    [20_000_000, '20 MB'],
    [2_500_000_000, '2.5 GB'],
    [20_000_001, '19 MiB'],
    [20 * 2 ** 20, '20 MiB'],
    [999, '999 bytes'],
    [1024, '1 KiB'],
    [1536 * 2 ** 20, '1.5 GiB'],
    [500 * 2 ** 20, '500 MiB'],
    [2 ** 41, '2 TiB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});
