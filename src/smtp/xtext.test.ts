import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeXtext, encodeXtext } from './xtext.ts';

describe('xtext', () => {
  test('decodeXtext() is the inverse of encodeXtext()', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]*$/), (text) => {
        const coded = encodeXtext(text);
        expect(coded).toMatch(/^[!-*,-<>-~+]*$/);
        expect(coded).not.toContain('=');
        expect(decodeXtext(coded)).toBe(text);
      }),
    );
  });

  test.each(['+', '+4', '+GG', 'a=b', 'a b', 'ü', '+00', '+7F', '+FC'])(
    'decodeXtext() refuses "%s"',
    (text) => {
      expect(decodeXtext(text)).toBeUndefined();
    },
  );
});
