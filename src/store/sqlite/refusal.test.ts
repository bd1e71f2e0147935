import { expect, test } from 'vitest';
import { StoreOpenError } from '../errors.ts';
import { refusal } from './refusal.ts';

test.each([
  ['EACCES', /posthorn\.db.*Run posthorn as the user that owns .*chown/],
  ['EROFS', /posthorn\.db.*read-only/],
  ['EIO', /posthorn\.db/],
])('refusal() says which file it is, and what to do: %s', (code, text) => {
  const error = Object.assign(new Error(`${code}: as told, open '/data/store/posthorn.db'`), { code });
  const refused = refusal(error, '/data');
  expect(refused).toBeInstanceOf(StoreOpenError);
  expect(refused).toMatchObject({ kind: 'not-writable', message: expect.stringMatching(text), cause: error });
});

test('refusal() leaves alone what is a bug', () => {
  const bug = new TypeError('no such thing');
  expect(refusal(bug, '/data')).toBe(bug);
});
