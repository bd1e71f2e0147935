import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { diskSpace, examineClock, examineDisk } from './machine.ts';

const ids = (findings: readonly { id?: string; severity: string }[]) =>
  findings.map(({ id, severity }) => id ?? severity);
const told = (offsetMs: number) => ({ offsetMs, by: 'time.example' });

test.each([
  ['good', [told(900)]],
  ['clock-drifts', [told(-30_000)]],
  ['clock-off', [told(3_600_000)]],
  ['clock-off', [told(-400_000), { error: 'no reply' }]],
  ['good', [told(0), told(9_000_000), told(100)]],
  ['clock-unknown', [{ error: 'time.example: no reply' }]],
  ['clock-unknown', []],
])('P12: the clock is %s by what others tell (%j)', (id, times) => {
  expect(ids(examineClock(times))).toEqual([id]);
});

test('P12: an hour off is said in words', () => {
  expect(examineClock([told(3_600_000)])[0]?.evidence).toBe(
    'this clock is 60 minutes slow, as time.example has it',
  );
});

const gibi = 2 ** 30;
const space = { freeBytes: 20 * gibi, totalBytes: 40 * gibi, freeFiles: 900, totalFiles: 1000 };

test.each([
  ['good', {}],
  ['good', { freeBytes: 30 * gibi, totalBytes: 4000 * gibi }],
  ['good', { totalFiles: 0, freeFiles: 0 }],
  ['disk-low', { freeBytes: gibi }],
  ['disk-full', { freeBytes: gibi / 8 }],
  ['disk-full', { freeFiles: 3 }],
])('P12: the disk is %s with %j', (id, changes) => {
  expect(ids(examineDisk('/var/lib/posthorn', { ...space, ...changes }))).toEqual([id]);
});

test('diskSpace() asks the file system', async () => {
  const { freeBytes, totalBytes } = await diskSpace(tmpdir());
  expect(totalBytes).toBeGreaterThan(freeBytes);
  await expect(diskSpace('/nowhere/at/all')).rejects.toThrow('ENOENT');
});
