import { expect, test } from 'vitest';
import type { Memo } from '../store/memo-store.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { Deferrals, longestDeferralMs, maxDeferrals } from './deferrals.ts';

function stage(memos: Memo[] = []) {
  const clock = fakeClock(1_000_000);
  const store = {
    listMemos: async () => memos,
    writeMemos: async (added: Memo[]) => void memos.push(...added),
  };
  const open = () => new Deferrals({ store, clock });
  return { clock, memos, open, deferrals: open() };
}

const letter = (id: string, trace = '1') => ({
  reversePath: 'a@example.org',
  forwardPaths: ['b@example.com', 'c@example.com'],
  header: Buffer.from(`Received: by x id ${trace}\r\nMessage-ID: <${id}>\r\nSubject: S\r\n\r\n`),
});

test('Deferrals ask a message back for four hours, and then no more', async () => {
  const { clock, deferrals } = stage();
  expect(await deferrals.mayDefer(letter('1'))).toBe(true);
  await clock.advance(longestDeferralMs - 1);
  expect(await deferrals.mayDefer(letter('1', 'another attempt'))).toBe(true);
  await clock.advance(1);
  expect(await deferrals.mayDefer(letter('1'))).toBe(false);
  expect(await deferrals.mayDefer(letter('2'))).toBe(true);
});

test('Deferrals know a message by its recipients in any order', async () => {
  const { clock, deferrals } = stage();
  await deferrals.mayDefer(letter('1'));
  await clock.advance(longestDeferralMs);
  const { forwardPaths, ...rest } = letter('1');
  expect(await deferrals.mayDefer({ ...rest, forwardPaths: forwardPaths.toReversed() })).toBe(false);
});

test('Deferrals outlive a restart, and write once for each message', async () => {
  const { clock, deferrals, open, memos } = stage();
  await deferrals.mayDefer(letter('1'));
  await deferrals.mayDefer(letter('1'));
  expect(memos).toHaveLength(1);
  await clock.advance(longestDeferralMs);
  expect(await open().mayDefer(letter('1'))).toBe(false);
});

test('Deferrals are bounded: what does not fit is not asked back', async () => {
  const { deferrals } = stage();
  for (let count = 0; count < maxDeferrals; count++) await deferrals.mayDefer(letter(String(count)));
  expect(await deferrals.mayDefer(letter('one more'))).toBe(false);
});

test('Deferrals forget after a day', async () => {
  const { clock, deferrals } = stage();
  await deferrals.mayDefer(letter('1'));
  await clock.advance(24 * 3600_000);
  expect(await deferrals.mayDefer(letter('1'))).toBe(true);
});
