import { expect, test } from 'vitest';
import { replyLines } from '../smtp/reply.ts';
import { suppressedReply } from './suppressed.ts';

const day = 24 * 3600_000;
const learnt = {
  address: 'gone@example.net',
  failures: 2,
  firstAt: 0,
  lastAt: day,
  refusedUntil: 2 * day,
  reply: '550 5.1.1 No such user',
};

test('suppressedReply() says why, until when, and what to do', () => {
  expect(replyLines(suppressedReply(learnt))).toEqual([
    '550-5.1.1 <gone@example.net>: its server said 2 times that nobody has this address, last on 1970-01-02: 550 5.1.1 No such user',
    '550-5.1.1 Not tried again before 1970-01-03 00:00 UTC. Is the address right? Then ask your postmaster, who can end this:',
    '550 5.1.1 posthorn suppression remove gone@example.net',
  ]);
  expect(replyLines(suppressedReply({ ...learnt, by: 'ann', reason: 'asked us to' }))[0]).toBe(
    '550-5.1.1 <gone@example.net>: mail to it was stopped by ann: asked us to',
  );
});

test('suppressedReply() keeps to the limits of a reply, whatever the other server said', () => {
  const hostile = { ...learnt, address: `${'ü'.repeat(200)}@example.net`, reply: 'é\r\n'.repeat(1000) };
  for (const line of replyLines(
    suppressedReply({ ...hostile, by: 'x'.repeat(500), reason: 'ö'.repeat(500) }),
  )) {
    expect(line).toMatch(/^[\x20-\x7e]*$/);
    expect(line.length).toBeLessThan(510);
  }
  for (const line of replyLines(suppressedReply(hostile))) expect(line.length).toBeLessThan(510);
});
