import { isAscii } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { parseContentType } from './content-type.ts';
import { fieldValue, findFields, parseHeader } from './header.ts';
import { findParts } from './multipart.ts';
import { maxDepth, maxParts, NotConvertibleError, toSevenBit } from './seven-bit.ts';

const crlf = (text: string): string => text.replaceAll('\n', '\r\n');
const convert = (text: string): string => toSevenBit(Buffer.from(crlf(text))).toString('latin1');

/** What a reader sees: each leaf's type and its content decoded. */
function leaves(bytes: Buffer, fallback = 'text/plain'): string[] {
  const { fields, bodyOffset } = parseHeader(bytes);
  const value = (name: string) => findFields(fields, name).map(fieldValue).join('|');
  const type = parseContentType(value('content-type') || fallback);
  const body = bytes.subarray(bodyOffset);
  const inner = type?.subtype === 'digest' ? 'message/rfc822' : 'text/plain';
  if (type?.type === 'multipart') {
    const parts =
      findParts(body, { start: 0, end: body.length }, type.parameters.get('boundary') ?? '') ?? [];
    return parts.flatMap(({ start, end }) => leaves(body.subarray(start, end), inner));
  }
  if (type?.type === 'message' && type.subtype === 'rfc822') return leaves(body);
  return [`${value('content-type')}: ${decoded(body, value('content-transfer-encoding')).toString()}`];
}

function decoded(body: Buffer, encoding: string): Buffer {
  const text = body.toString('latin1');
  if (encoding === 'base64') return Buffer.from(text, 'base64');
  if (encoding !== 'quoted-printable') return body;
  const joined = text.replace(/=\r\n/g, '');
  return Buffer.from(
    joined.replace(/=(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

const simple = `From: a@example.com
MIME-Version: 1.0
Content-Type: text/plain; charset=iso-8859-15
Content-Transfer-Encoding: 8bit
Subject: hello

`;

const mixed = `From: a@example.com
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="out er"
Content-Transfer-Encoding: 8bit

préamble
--out er
Content-Type: multipart/alternative; boundary=in

--in
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Grüße, and a good deal of ASCII around it so that quoted-printable is shorter.
--in
Content-Type: text/html; charset=utf-8

<p>ASCII only = stays as it is</p>
--in--
--out er
Content-Type: message/rfc822

Subject: inside
From: b@example.com

Привет, мир

--out er
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename=x

3q2+7w==
--out er--
épilogue
`;

describe('toSevenBit()', () => {
  test('writes mostly ASCII text in quoted-printable, its charset kept, all other fields as they were', () => {
    expect(
      convert(`${simple}Grüße an alle, die in einer langen Zeile stehen, die länger als 76 Zeichen ist.\n`),
    ).toBe(
      crlf(`From: a@example.com
MIME-Version: 1.0
Content-Type: text/plain; charset=iso-8859-15
Content-Transfer-Encoding: quoted-printable
Subject: hello

Gr=C3=BC=C3=9Fe an alle, die in einer langen Zeile stehen, die l=C3=A4nger =
als 76 Zeichen ist.
`),
    );
  });

  test('writes what is mostly not ASCII in base64', () => {
    const text = 'Съешь же ещё этих мягких французских булок\n'.repeat(3);
    const converted = convert(`${simple}${text}`);
    expect(converted).toContain('Content-Transfer-Encoding: base64\r\n');
    expect(Buffer.from(converted.split('\r\n\r\n')[1] ?? '', 'base64').toString()).toBe(crlf(text));
    expect(converted).toMatch(/\r\n$/);
  });

  test('converts the leaves that need it, at any depth, and nothing else', () => {
    const before = Buffer.from(crlf(mixed));
    const after = toSevenBit(before);
    expect(isAscii(after)).toBe(true);
    const text = after.toString();
    expect(leaves(after).map((leaf) => leaf.replace('; charset=unknown-8bit', ''))).toEqual(
      leaves(before).map((leaf) => leaf.replace(/^: /, 'text/plain: ')),
    );
    expect(text).toContain('<p>ASCII only = stays as it is</p>');
    expect(text).toContain('3q2+7w==');
    expect(text).toContain('pr??amble');
    // A multipart takes no encoding but these (RFC 2045 §6.4); what was said of it is not true any more.
    expect(text.slice(0, text.indexOf('\r\n\r\n'))).toContain('Content-Transfer-Encoding: 7bit');
    expect(toSevenBit(after)).toBe(after);
  });

  test('makes MIME of a message within that is none', () => {
    const inside = convert(mixed).split('Subject: inside')[1] ?? '';
    expect(inside).toContain('MIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n');
    expect(inside).toContain('Content-Transfer-Encoding: base64');
  });

  test('declares what nobody has declared (RFC 1428)', () => {
    expect(convert('From: a@example.com\n\nGrüße, and then a lot of ASCII text\n')).toBe(
      crlf(`From: a@example.com
Content-Transfer-Encoding: quoted-printable
MIME-Version: 1.0
Content-Type: text/plain; charset=unknown-8bit

Gr=C3=BC=C3=9Fe, and then a lot of ASCII text
`),
    );
  });

  test('reads the parts of a digest as messages', () => {
    const digest = `MIME-Version: 1.0\nContent-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\nGrüße\n--b--\n`;
    expect(convert(digest)).toContain(crlf('--b\n\nSubject: one\n'));
    expect(convert(digest)).toMatch(/Content-Transfer-Encoding: (?:quoted-printable|base64)/);
  });

  test('leaves a message that is 7-bit alone, whatever it says of itself', () => {
    const message = Buffer.from(crlf(`${simple}ASCII\n`));
    expect(toSevenBit(message)).toBe(message);
  });

  const within = (type: string, body = 'Grüße') => `MIME-Version: 1.0\nContent-Type: ${type}\n\n${body}\n`;
  const nested = (depth: number): string =>
    depth === 0
      ? '\nGrüße\n'
      : `Content-Type: multipart/mixed; boundary=b${depth}\n\n--b${depth}\n${nested(depth - 1)}\n--b${depth}--\n`;

  test.each([
    [
      'signed',
      within('multipart/signed; boundary=b', '--b\n\nGrüße\n--b\n\nsignature\n--b--'),
      /multipart\/signed must not/,
    ],
    [
      'encrypted',
      within('multipart/encrypted; boundary=b', '--b\n\nGrüße\n--b--'),
      /multipart\/encrypted must not/,
    ],
    [
      'signed, deep inside',
      within(
        'multipart/mixed; boundary=a',
        '--a\nContent-Type: multipart/signed; boundary=b\n\n--b\n\nGrüße\n--b--\n--a--',
      ),
      /multipart\/signed/,
    ],
    [
      'a piece of another',
      within('message/partial; id=1; number=1; total=2'),
      /message\/partial must be 7-bit/,
    ],
    ['a report', within('message/delivery-status'), /message\/delivery-status/],
    ['of unknown structure', within('multipart/mixed'), /boundary/],
    ['of a structure that is not there', within('multipart/mixed; boundary=nowhere'), /boundary/],
    ['of no type that can be read', within('nonsense'), /Content-Type cannot be read/],
    ['8-bit in its header', 'Subject: Grüße\n\nGrüße\n', /header holds 8-bit/],
    [
      '8-bit in the header of a part',
      within('multipart/mixed; boundary=b', '--b\nX: ü\n\nGrüße\n--b--'),
      /header/,
    ],
    ['said to be in base64', 'Content-Transfer-Encoding: base64\n\nGrüße\n', /base64 holds 8-bit/],
    ['too deep', `MIME-Version: 1.0\n${nested(maxDepth + 2)}`, /deep/],
    [
      'in too many parts',
      within('multipart/mixed; boundary=b', `${'--b\n\nx\n'.repeat(maxParts)}--b\n\nü\n--b--`),
      /parts/,
    ],
  ])('does not convert what is %s, and says why', (_, message, reason) => {
    expect(() => convert(message)).toThrow(NotConvertibleError);
    expect(() => convert(message)).toThrow(reason);
  });

  test('converts what lies beside a signed part that is 7-bit', () => {
    const signed = 'Content-Type: multipart/signed; boundary=b\n\n--b\n\nfirst\n--b\n\nsignature\n--b--';
    const converted = convert(within('multipart/mixed; boundary=a', `--a\n${signed}\n--a\n\nGrüße\n--a--`));
    expect(converted).toContain(crlf(signed));
    expect(isAscii(Buffer.from(converted))).toBe(true);
  });
});
