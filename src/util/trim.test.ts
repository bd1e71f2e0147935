import fc from 'fast-check';
import { expect, test } from 'vitest';
import { trim } from './trim.ts';

test('trim() takes away spaces and tabs, and nothing else', () => {
  expect(trim(' \t a b\t ')).toBe('a b');
  expect(trim('\u00a0a\r\n')).toBe('\u00a0a\r\n');
  expect(trim(' \t ')).toBe('');
  fc.assert(fc.property(fc.string(), (text) => trim(` \t${text}\t `) === trim(text)));
});

test('trim() is linear in what it is given', () => {
  const startedAt = performance.now();
  trim(`a${' '.repeat(300_000)}a`);
  expect(performance.now() - startedAt).toBeLessThan(1000);
});
