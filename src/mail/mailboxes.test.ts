import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { formatAddress } from './address.ts';
import { fieldValue, parseHeader } from './header.ts';
import { mailboxesOf, maxListLength } from './mailboxes.ts';

interface Listed {
  address: string | null;
}

const vectors: { header: string; expected: { List: Listed[] } | { Group: { addresses: Listed[] }[] } }[] =
  JSON.parse(readFileSync(new URL('../../testdata/mime/address.json', import.meta.url), 'utf8'));

const read = (value: string): string[] | undefined => mailboxesOf(value)?.mailboxes.map(formatAddress);

/** Cases of the suite where it wants what a mail server must not do; ours is an error there. */
const refused: Record<string, number[]> = {
  'a backslash before a fold escapes the fold, not the parenthesis after it': [9],
  'a URL of a List-* field is no address (RFC 2369)': [37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47],
  'a name after the angle brackets is in no grammar': [55],
};
const refusedCases = new Set(Object.values(refused).flat());

/** The suite keeps white space, routes and case of a domain; two spellings must not be two addresses here. */
function normalized(address: string): string {
  const spec = address.replace(/\s+/g, '').replace(/^@[^:]*:/, '');
  const at = spec.lastIndexOf('@');
  return spec.slice(0, at) + spec.slice(at).toLowerCase();
}

describe('suite mime: address lists', () => {
  const table = vectors.map((vector, index) => ({
    ...vector,
    index,
    name: JSON.stringify(vector.header).slice(0, 60),
  }));

  test.each(table)('suite mime: address $index $name', ({ header, expected, index }) => {
    const [field] = parseHeader(Buffer.from(`To:${header}`)).fields;
    const listed = 'List' in expected ? expected.List : expected.Group.flatMap(({ addresses }) => addresses);
    // A comment alone is listed there as a nameless mailbox.
    const addresses = listed.flatMap(({ address }) => (address === null ? [] : [normalized(address)]));
    expect(field && read(fieldValue(field))).toEqual(refusedCases.has(index) ? undefined : addresses);
  });
});

describe('mailboxesOf()', () => {
  test.each([
    ['Name <a@b.example>', ['a@b.example']],
    ['undisclosed-recipients:;', []],
    ['"Doe, John" <"john doe"@b.example>, x@y.example', ['"john doe"@b.example', 'x@y.example']],
    ['Team: a@b.example, C <c@d.example>; , e@f.example', ['a@b.example', 'c@d.example', 'e@f.example']],
    ['Jürgen <jürgen@bücher.example>', ['jürgen@xn--bcher-kva.example']],
    ['(a (nested) comment) a (x) . b (y) @ (z) c.example (end)', ['a.b@c.example']],
    ['<@relay.example,@two.example:a@b.example>', ['a@b.example']],
    ['a@b.example <c@d.example>', ['c@d.example']],
    ['[List] Name <a@b.example>', ['a@b.example']],
    ['', []],
  ])('M1: reads %j', (value, addresses) => {
    expect(read(value)).toEqual(addresses);
  });

  test.each([
    'Name',
    'a b@c.example',
    'Doe, John <a@b.example>',
    'a@b.example c@d.example',
    '<a@b.example> <c@d.example>',
    '<a@b.example',
    'a@b.example>',
    '<a@b.example>: c@d.example;',
    'a: b: c@d.example;;',
    'a: b@c.example',
    'b@c.example;',
    '"open <a@b.example>',
    '(open <a@b.example>',
    'x\0 <a@b.example>',
    '<<a@b.example>>',
    '<>',
    ':;',
  ])('M1: refuses %j', (value) => {
    expect(mailboxesOf(value)).toBeUndefined();
  });

  it('gives display names unquoted, with encoded words as they are', () => {
    const value = '"Doe, \\"J\\"" <a@b.example>, =?utf-8?q?J=C3=BC?= B. C <c@d.example>, e@f.example';
    expect(mailboxesOf(value)?.mailboxes.map(({ displayName }) => displayName)).toEqual([
      'Doe, "J"',
      '=?utf-8?q?J=C3=BC?= B. C',
      '',
    ]);
  });

  it('duty-5: never decodes encoded words inside addresses', () => {
    expect(read('=?utf-8?q?boss=40example.com?= <me@example.com>')).toEqual(['me@example.com']);
    expect(read('=?utf-8?q?boss=40example.com=3E?=@evil.example')).toEqual([
      '=?utf-8?q?boss=40example.com=3E?=@evil.example',
    ]);
  });

  it('never throws, and only gives addresses that can be written', () => {
    const unit = fc.constantFrom(
      'a',
      '.',
      '@',
      '<',
      '>',
      ',',
      ':',
      ';',
      '"',
      '\\',
      '(',
      ')',
      '[',
      ']',
      ' ',
      '\r\n ',
      'ü',
      '\0',
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (value) => {
        for (const address of read(value) ?? []) expect(read(address)).toEqual([address]);
      }),
      { numRuns: 2000 },
    );
  });

  /** As many of them as will be read. */
  const many = (text: string, rest = ''): string =>
    text.repeat(Math.floor((maxListLength - rest.length) / text.length)) + rest;

  test.each([
    ['dots', many('a.')],
    ['words', many('a ', '<a@b.example>')],
    ['comments', many('(')],
    ['closed comments', many('(a)')],
    ['quotes', many('""', '"')],
    ['angle brackets', many('<')],
    ['groups', many('a:;')],
    ['literals', many('[')],
    ['entries', many('a@b.example,')],
  ])('takes linear time over many %s', (_what, value) => {
    const start = performance.now();
    mailboxesOf(value);
    // A quadratic reader needs seconds here.
    expect(performance.now() - start).toBeLessThan(500);
  });

  test('reads no list that is longer than maxListLength', () => {
    expect(mailboxesOf(many('a@b,'))?.mailboxes).toHaveLength(maxListLength / 4);
    expect(mailboxesOf(`${many('a@b,')} `)).toBeUndefined();
  });
});
