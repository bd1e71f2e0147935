import { expect, test } from 'vitest';
import {
  addMessage,
  type CountedMessage,
  type DmarcTally,
  emptyTally,
  maxRows,
  messagesIn,
} from './tally.ts';

const policy = { domain: 'a.example', p: 'none' as const };
const message = (source: string): CountedMessage => ({
  source,
  disposition: 'none',
  dkimAligned: true,
  spfAligned: false,
  reasons: [],
  headerFrom: 'a.example',
  dkim: [],
  spf: [],
});
const add = (tally: DmarcTally, source: string, hasRoom = true) =>
  addMessage(tally, { policy, message: message(source), hasRoom });

test('addMessage() counts messages that have everything in common, also in a tally that comes from the store', () => {
  const tally = emptyTally(policy);
  expect(['1', '2', '1'].map((source) => add(tally, source))).toEqual([true, true, false]);
  const again: DmarcTally = JSON.parse(JSON.stringify(tally));
  expect(add(again, '2')).toBe(false);
  expect(again.rows.map(({ source, count }) => [source, count])).toEqual([
    ['1', 2],
    ['2', 2],
  ]);
  expect(messagesIn(again)).toBe(4);
});

test('addMessage() has room for so many rows, and counts what comes then', () => {
  const tally = emptyTally(policy);
  for (let n = 0; n < maxRows + 5; n++) add(tally, String(n));
  add(tally, '0');
  add(tally, 'new', false);
  expect([tally.rows.length, tally.left, messagesIn(tally)]).toEqual([maxRows, 6, maxRows + 7]);
});

test('addMessage() keeps the policy that was seen last', () => {
  const tally = emptyTally(policy);
  addMessage(tally, { policy: { ...policy, p: 'reject' }, message: message('1'), hasRoom: true });
  expect(tally.policy.p).toBe('reject');
});
