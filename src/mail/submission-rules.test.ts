import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseHeader } from './header.ts';
import { checkSubmittedHeader, lineScanner } from './submission-rules.ts';

const mine = new Set(['bob@example.com', 'info@example.com']);

function check(header: string | Buffer, smtputf8 = false) {
  const mayUse = (key: string) => mine.has(key);
  return checkSubmittedHeader(parseHeader(Buffer.from(header)), { smtputf8, mayUse });
}

const status = (header: string | Buffer, smtputf8 = false) => {
  const verdict = check(header, smtputf8);
  return verdict.ok ? 'ok' : verdict.status;
};

describe('checkSubmittedHeader()', () => {
  test.each([
    ['From: Bob <BOB@example.com>\r\n\r\n'],
    ['From: bob@example.com, info@example.com\r\nSender: bob@example.com\r\n\r\n'],
    ['Subject: no From, which the server adds\r\n\r\n'],
    [`From: bob@example.com\r\nX: ${'x'.repeat(995)}\r\n\r\n`],
  ])('lets pass %j', (header) => {
    expect(check(header)).toEqual({ ok: true });
  });

  test.each([
    ['two From fields', 'From: bob@example.com\r\nFrom: bob@example.com\r\n\r\n', '5.6.0'],
    ['a second From with white space', 'From: bob@example.com\r\nfrom : eve@example.net\r\n\r\n', '5.6.0'],
    ['two Sender fields', 'Sender: bob@example.com\r\nSender: bob@example.com\r\n\r\n', '5.6.0'],
    ['a From that is none', 'From: Bob\r\n\r\n', '5.6.0'],
    ['a From without a mailbox', 'From: undisclosed:;\r\n\r\n', '5.6.0'],
    ["another's From", 'From: eve@example.com\r\n\r\n', '5.7.1'],
    ["another's From beside one's own", 'From: bob@example.com, eve@example.com\r\n\r\n', '5.7.1'],
    ["another's From in a group", 'From: us: bob@example.com, eve@example.com;\r\n\r\n', '5.7.1'],
    ["another's Sender", 'From: bob@example.com\r\nSender: eve@example.com\r\n\r\n', '5.7.1'],
    ["one's own address in the name only", 'From: bob@example.com <eve@example.com>\r\n\r\n', '5.7.1'],
    [
      "one's own address in an encoded word",
      'From: =?utf-8?q?bob=40example.com=3E?=@x.example\r\n\r\n',
      '5.7.1',
    ],
  ])('duty-5: refuses %s', (_what, header, wanted) => {
    expect(status(header)).toBe(wanted);
  });

  it("not-10: refuses to send, and so to sign, in another user's name", () => {
    expect(check('From: Alice <alice@example.com>\r\n\r\n')).toEqual({
      ok: false,
      status: '5.7.1',
      text: 'You may not send as alice@example.com in From; use an address of your own account',
      rule: 'every From and Sender mailbox belongs to the submitter',
    });
  });

  test.each([
    ['a NUL', 'From: bob@example.com\r\nX: a\0b\r\n\r\n'],
    ['8-bit without SMTPUTF8', 'From: Jürgen <bob@example.com>\r\n\r\n'],
    ['a line over 998', `From: bob@example.com\r\nX: ${'x'.repeat(996)}\r\n\r\n`],
    ['a folded line over 998', `From: bob@example.com\r\nX: y\r\n ${'x'.repeat(998)}\r\n\r\n`],
    ['a line that is no field', 'From: bob@example.com\r\nhello\r\n\r\n'],
  ])('duty-6: refuses %s with 5.6.0', (_what, header) => {
    expect(status(header)).toBe('5.6.0');
  });

  it('duty-6: takes UTF-8 with SMTPUTF8, and no other 8-bit', () => {
    expect(status('From: Jürgen <bob@example.com>\r\n\r\n', true)).toBe('ok');
    expect(status(Buffer.from('From: J\xfcrgen <bob@example.com>\r\n\r\n', 'latin1'), true)).toBe('5.6.0');
  });

  it('says in ASCII what is wrong and what to do', () => {
    expect(check('From: evé@example.com\r\n\r\n', true)).toMatchObject({
      text: 'You may not send as ev?@example.com in From; use an address of your own account',
    });
    expect(check('hello\r\n\r\n')).toMatchObject({
      text: 'line 1 is no header field: "hello"; put a blank line between header and body',
    });
  });

  it('always gives a verdict, with a text for one reply line', () => {
    const unit = fc.constantFrom(
      'From:',
      'bob@example.com',
      '\r\n',
      ' ',
      '<',
      '"',
      '(',
      'ü',
      '\0',
      ',',
      'a'.repeat(300),
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 20 }), fc.boolean(), (header, smtputf8) => {
        const verdict = check(header, smtputf8);
        if (!verdict.ok) expect(verdict.text).toMatch(/^[\x20-\x7e]{1,400}$/);
      }),
    );
  });
});

/** What the scanner says to a text in chunks of this size. */
function scan(text: string, size: number): string | undefined {
  const bytes = Buffer.from(text);
  const scanChunk = lineScanner();
  for (let at = 0; at < bytes.length; at += size) {
    const refusal = scanChunk(bytes.subarray(at, at + size));
    if (refusal !== undefined) return refusal.rule;
  }
  return undefined;
}

describe('lineScanner()', () => {
  const sizes = [1, 7, 997, 998, 999, 1000, 1001, 65_536];
  const line = (length: number) => `${'x'.repeat(length)}\r\n`;

  test.each(sizes)('duty-6: finds lines over 998 and NULs in chunks of %d', (size) => {
    expect(scan(line(998).repeat(3), size)).toBeUndefined();
    expect(scan(line(70) + line(998) + line(0).repeat(2000) + line(998), size)).toBeUndefined();
    expect(scan(line(998) + line(999), size)).toBe('lines of at most 998 octets');
    expect(scan(line(0).repeat(500) + line(999) + line(3), size)).toBe('lines of at most 998 octets');
    expect(scan('x'.repeat(5000), size)).toBe('lines of at most 998 octets');
    expect(scan(`${line(70)}a\0`, size)).toBe('no NUL');
  });

  it('agrees with a plain reading, wherever the chunks are cut', () => {
    const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 990, max: 1003 })), {
      maxLength: 9,
    });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 2500 }), (lines, size) => {
        const tooLong = lines.some((length) => length > 998);
        expect(scan(lines.map(line).join(''), size) !== undefined).toBe(tooLong);
      }),
      { numRuns: 500 },
    );
  });
});
