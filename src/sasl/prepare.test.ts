import { expect, test } from 'vitest';
import { prepare } from './prepare.ts';

/** The examples of RFC 4013 §3 that change something, and what people type. */
test.each([
  ['I\u00adX', 'IX'],
  ['user', 'user'],
  ['USER', 'USER'],
  ['\u00aa', 'a'],
  ['\u2168', 'IX'],
  ['cafe\u0301 au\u00a0lait', 'caf\u00e9 au lait'],
  ['zero\u200dwidth\ufe0f\u034f', 'zerowidth'],
])('prepare(%j) is %j', (text, prepared) => {
  expect(prepare(text)).toBe(prepared);
});
