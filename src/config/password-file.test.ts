import { expect, test } from 'vitest';
import { parsePassword } from './password-file.ts';

test.each([
  ['secret', 'secret'],
  ['se cret \nnotes', 'se cret '],
  ['pässword\r\n', 'pässword'],
])('parsePassword(%j) is %j', (content, password) => {
  expect(parsePassword(Buffer.from(content))).toBe(password);
});

test.each(['', '\n', '\r\nsecret', 'se\0cret'])('parsePassword(%j) throws', (content) => {
  expect(() => parsePassword(Buffer.from(content))).toThrow();
});
