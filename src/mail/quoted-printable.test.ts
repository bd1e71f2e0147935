import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeQuotedPrintable } from './quoted-printable.ts';

/** As RFC 2045 §6.7 has it, in a few lines. */
function decode(text: string): Buffer {
  const joined = text.replace(/=\r\n/g, '');
  return Buffer.from(
    joined.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

const encode = (text: string): string =>
  encodeQuotedPrintable(Buffer.from(text, 'latin1')).toString('latin1');

describe('encodeQuotedPrintable()', () => {
  test.each([
    ['', ''],
    ['plain\r\n', 'plain\r\n'],
    ['gr\xfc\xdfe = 1\r\n', 'gr=FC=DFe =3D 1\r\n'],
    ['white \r\nspace\t', 'white=20\r\nspace=09'],
    ['bare\rand\nbare', 'bare=0Dand=0Abare'],
    ['a'.repeat(76), `${'a'.repeat(75)}=\r\na`],
    ['\xfc'.repeat(26), `${'=FC'.repeat(25)}=\r\n=FC`],
  ])('writes %j', (text, coded) => {
    expect(encode(text)).toBe(coded);
  });

  test('comes back as it was, in ASCII, in lines of at most 76 characters without white space at their ends', () => {
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      fc
        .array(fc.constantFrom('\r\n', ' ', 'abc', '\xfc', '=', '\r', '\n', '\t'), { maxLength: 300 })
        .map((parts) => Buffer.from(parts.join(''), 'latin1')),
    );
    fc.assert(
      fc.property(octets, (bytes) => {
        const coded = encodeQuotedPrintable(Buffer.from(bytes)).toString('latin1');
        expect(decode(coded).equals(Buffer.from(bytes))).toBe(true);
        for (const line of coded.split('\r\n')) expect(line).toMatch(/^(?:[\t\x20-\x7e]{0,75}[\x21-\x7e])?$/);
      }),
    );
  });

  test('writes more than a block', () => {
    const bytes = Buffer.from('ü\r\n'.repeat(40_000));
    expect(decode(encodeQuotedPrintable(bytes).toString('latin1')).equals(bytes)).toBe(true);
  });
});
