import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fieldValue, findFields, findHeaderEnd, parseHeader, removeFields } from './header.ts';

interface Vector {
  file: string;
  /** Octets as characters, line ends LF. */
  header: string;
  fields: string[];
  lf: [start: number, end: number][];
  crlf: [start: number, end: number][];
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL('../../testdata/mime/headers.json', import.meta.url), 'utf8'),
);

const parse = (text: string) => parseHeader(Buffer.from(text));

function spans(bytes: Buffer): { names: string[]; offsets: number[][] } {
  const { fields } = parseHeader(bytes);
  const start = ({ byteOffset }: Buffer) => byteOffset - bytes.byteOffset;
  const offsets = fields.map(({ raw }) => [start(raw), start(raw) + raw.length]);
  return { names: fields.map(({ name }) => name), offsets };
}

describe('suite mime: header fields', () => {
  test.each(vectors)('suite mime: $file', ({ header, fields, lf, crlf }) => {
    const bytes = Buffer.from(header, 'latin1');
    expect(spans(bytes)).toEqual({ names: fields, offsets: lf });
    expect(findHeaderEnd(bytes)).toBe(bytes.length);
    const withCrlf = Buffer.from(header.replaceAll('\n', '\r\n'), 'latin1');
    expect(spans(withCrlf)).toEqual({ names: fields, offsets: crlf });
    expect(findHeaderEnd(withCrlf)).toBe(withCrlf.length);
  });
});

describe('parseHeader()', () => {
  it('splits fields with their folds', () => {
    const { fields, bodyOffset, malformed } = parse('From: a\r\nSUBJECT: b\r\n\tc\r\n \r\nX: y\r\n\r\nbody');
    expect(fields.map(({ name, raw }) => [name, raw.toString()])).toEqual([
      ['from', 'From: a\r\n'],
      ['subject', 'SUBJECT: b\r\n\tc\r\n \r\n'],
      ['x', 'X: y\r\n'],
    ]);
    expect(bodyOffset).toBe(36);
    expect(malformed).toBeUndefined();
  });

  test.each([
    ['', 0, 0],
    ['\r\nbody', 0, 2],
    ['\nbody', 0, 1],
    ['A: b', 1, 4],
    ['A: b\r\n', 1, 6],
    ['A: b\n\nbody', 1, 6],
    ['A: b\r\n\nbody', 1, 7],
    ['A: b\rC: d\r\n\r\n', 1, 13],
  ])('reads %j to its end', (text, count, bodyOffset) => {
    expect(parse(text)).toMatchObject({ fields: { length: count }, bodyOffset });
  });

  test.each([
    ['no colon here\r\nA: b\r\n\r\n', 'line 1 is no header field: "no colon here"'],
    ['A: b\r\n c\r\n: d\r\n\r\n', 'line 3 is no header field: ": d"'],
    [' fold of nothing\r\nA: b\r\n\r\n', 'line 1 is no header field: " fold of nothing"'],
    [
      'From bob Mon Jan  1 10:00:00 2024\r\nA: b\r\n\r\n',
      'line 1 is no header field: "From bob Mon Jan  1 10:00:00 2024"',
    ],
    ['A: b\r\nÄ: b\r\n\r\n', 'line 2 is no header field: "??: b"'],
    ['A\r\n : b\r\n\r\n', 'line 1 is no header field: "A"'],
  ])('says what is wrong with %j', (text, malformed) => {
    const header = parse(text);
    expect(header.malformed).toBe(malformed);
    expect(header.fields.some(({ name }) => name === '')).toBe(true);
  });

  it('duty-5: sees a From with white space before its colon', () => {
    expect(findFields(parse('From: a@b\r\nFrom \t: c@d\r\n\r\n').fields, 'from').map(fieldValue)).toEqual([
      'a@b',
      'c@d',
    ]);
  });

  it('not-9: gives every octet back, whatever the octets', () => {
    const unit = fc.constantFrom('A', ':', ' ', '\t', '\r', '\n', '\r\n', '\0', 'ü');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
        const bytes = Buffer.from(text);
        const { fields, separator, bodyOffset } = parseHeader(bytes);
        const again = Buffer.concat([...fields.map(({ raw }) => raw), separator]);
        expect(again.equals(bytes.subarray(0, bodyOffset))).toBe(true);
        expect(findHeaderEnd(bytes) ?? bytes.length).toBe(bodyOffset);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['lines', 'A: b\r\n'.repeat(100_000)],
    ['folds', `A: b\r\n${' c\r\n'.repeat(150_000)}`],
    ['malformed lines', '\u0001\n'.repeat(200_000)],
    ['spaces before no colon', `A${' '.repeat(500_000)}`],
  ])('takes linear time over many %s', (_what, text) => {
    const start = performance.now();
    const { fields } = parse(text);
    fields.map(fieldValue);
    expect(performance.now() - start).toBeLessThan(3_000);
  });
});

describe('parseHeader() and lines that are no fields', () => {
  it('makes one of all that stand together, octet for octet', () => {
    const { fields, malformed } = parse('a\r\n b\r\nc\nA: b\r\nd\r\n\r\n');
    expect(fields.map(({ name, raw }) => [name, raw.toString()])).toEqual([
      ['', 'a\r\n b\r\nc\n'],
      ['a', 'A: b\r\n'],
      ['', 'd\r\n'],
    ]);
    expect(malformed).toBe('line 1 is no header field: "a"');
  });
});

describe('findHeaderEnd()', () => {
  it('waits for the blank line', () => {
    expect(findHeaderEnd(Buffer.from('A: b\r\nC: d\r\n'))).toBeUndefined();
    expect(findHeaderEnd(Buffer.from('A: b\r\nC: d\r\n\r'))).toBeUndefined();
    expect(findHeaderEnd(Buffer.from('A: b\r\nC: d\r\n\r\nx'))).toBe(14);
  });

  it('goes on from the start of a line', () => {
    const bytes = Buffer.from('A: b\r\nC: d\r\n\r\nx');
    expect(findHeaderEnd(bytes, 6)).toBe(14);
    expect(findHeaderEnd(bytes, 12)).toBe(14);
  });
});

describe('fieldValue()', () => {
  it('unfolds, trims and decodes', () => {
    const [field] = parse('Subject: \r\n  Grüße \r\n\taus  Köln \r\n\r\n').fields;
    expect(field && fieldValue(field)).toBe('Grüße \taus  Köln');
  });

  it('marks octets that are not UTF-8', () => {
    const [field] = parseHeader(Buffer.from('From: b\xf6b@example.com\r\n\r\n', 'latin1')).fields;
    expect(field && fieldValue(field)).toBe('b\ufffdb@example.com');
  });
});

describe('removeFields()', () => {
  it('not-9: removes the unwanted fields with their folds and nothing else', () => {
    const header = parse(
      'Return-Path: <a@b>\r\nX : 1\r\n  2\r\nreturn-path:\r\n <c@d>\r\nno field\r\nY:3\r\n\r\nbody',
    );
    expect(removeFields(header, ({ name }) => name === 'return-path').toString()).toBe(
      'X : 1\r\n  2\r\nno field\r\nY:3\r\n\r\n',
    );
  });
});
