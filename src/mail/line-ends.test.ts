import { expect, test } from 'vitest';
import { withCrlf } from './line-ends.ts';

test('withCrlf() makes every line end CRLF and keeps all other octets', () => {
  const bytes = Buffer.from('a\nb\r\nc\r\r\n\n\xff\0', 'latin1');
  expect(withCrlf(bytes).toString('latin1')).toBe('a\r\nb\r\nc\r\n\r\n\r\n\xff\0');
});
