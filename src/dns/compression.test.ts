import { randomBytes } from 'node:crypto';
import { encode } from 'dns-packet';
import { expect, test } from 'vitest';
import { isMaze, maxPointersInRow } from './compression.ts';

/** Two octets of data, and a chain of so many pointers, each to the one before. */
function chain(length: number): Buffer {
  const octets = Buffer.alloc(2 + 2 * length);
  for (let at = 2; at < octets.length; at += 2) octets.writeUInt16BE(0xc000 | (at - 2), at);
  return octets;
}

test('isMaze() finds a long chain of pointers, and lets a short one pass', () => {
  expect(isMaze(chain(maxPointersInRow + 1))).toBe(true);
  expect(isMaze(chain(maxPointersInRow))).toBe(false);
});

test('isMaze() lets pass what servers send', () => {
  const name = 'mx.example.org';
  const record = { name, type: 'MX', ttl: 60, data: { preference: 10, exchange: name } } as const;
  const reply = encode({ type: 'response', id: 1, answers: Array(50).fill(record) });
  // As compressing servers write it: each owner is a pointer to the first.
  for (let at = 40; at + 2 < reply.length; at += 16) reply.writeUInt16BE(0xc00c, at);
  expect(isMaze(reply)).toBe(false);
});

test('isMaze() is not led astray by octets of chance', () => {
  for (let left = 50; left > 0; left--) expect(isMaze(randomBytes(4096))).toBe(false);
});

test('isMaze() takes 64 KiB of any octet in its stride', () => {
  const began = performance.now();
  for (let octet = 0; octet < 256; octet++) isMaze(Buffer.alloc(65_535, octet));
  expect(performance.now() - began).toBeLessThan(2_000);
});
