import { expect, test } from 'vitest';
import { makeToken, readToken, tokenMs } from './token.ts';

const key = Buffer.alloc(32, 1);
const now = Date.UTC(2026, 10, 27, 12);
const token = makeToken(key, '01ABCDEFGHJKMN', now);

test('readToken() knows what makeToken() has made, for its time', () => {
  expect(token).toMatch(/^[\w:-]+$/);
  expect(readToken(key, ` ${token} `, now)).toBe('01ABCDEFGHJKMN');
  expect(readToken(key, token, now + tokenMs - 24 * 3600_000)).toBe('01ABCDEFGHJKMN');
  expect(readToken(key, token, now + tokenMs + 24 * 3600_000)).toBeUndefined();
});

test('readToken() knows no other', () => {
  const changed = [...token].map(
    (character, at) => token.slice(0, at) + (character === 'Z' ? 'Y' : 'Z') + token.slice(at + 1),
  );
  for (const each of [...changed, '', token.slice(1), `${token}A`, makeToken(Buffer.alloc(32, 2), 'X', now)])
    expect(readToken(key, each, now)).toBeUndefined();
});
