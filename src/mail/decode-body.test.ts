import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBody } from './decode-body.ts';
import { encodeQuotedPrintable } from './quoted-printable.ts';

const decoded = (text: string, encoding: string) =>
  decodeBody(Buffer.from(text, 'latin1'), encoding)?.toString('latin1');

describe('decodeBody()', () => {
  test.each([
    ['7bit', 'a=20', 'a=20'],
    ['base64', 'SGFs\r\nbG8=\r\n', 'Hallo'],
    ['base64', 'SGFs!bG8', 'Hallo'],
    ['quoted-printable', 'a=20=E4=\r\nb \t\r\nc=\n', 'a \xe4b\r\nc'],
    ['quoted-printable', 'a=  \r\nb= c=zz=4', 'ab= c=zz=4'],
    ['quoted-printable', 'end \t', 'end'],
    ['x-uuencode', 'begin', undefined],
  ])('reads %s %j', (encoding, text, expected) => {
    expect(decoded(text, encoding)).toBe(expected);
  });

  test('reads what encodeQuotedPrintable() wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const octets = Buffer.from(bytes);
        expect(decodeBody(encodeQuotedPrintable(octets), 'quoted-printable')).toEqual(octets);
      }),
    );
  });
});
