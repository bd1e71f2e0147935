import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataReader } from './data-reader.ts';

function read(text: string, { normalize = false, dotted = true, size = text.length || 1 } = {}) {
  const reader = new DataReader({ dotted, normalize });
  const bytes = Buffer.from(text, 'latin1');
  const chunks: Buffer[] = [];
  let used = 0;
  for (let index = 0; index < bytes.length && !reader.ended; index += size) {
    used = index + reader.read(bytes.subarray(index, index + size));
    chunks.push(reader.take() ?? Buffer.alloc(0));
  }
  return {
    text: Buffer.concat(chunks).toString('latin1'),
    ended: reader.ended,
    rest: text.slice(used),
    bare: reader.bareNewline,
  };
}

const cases: [name: string, wire: string, text: string, rest: string][] = [
  ['an empty message', '.\r\nQUIT', '', 'QUIT'],
  ['a blank line in a body', 'a\r\n\r\nb\r\n.\r\n', 'a\r\n\r\nb\r\n', ''],
  ['a stuffed dot', '..a\r\n...\r\n.\r\n', '.a\r\n..\r\n', ''],
  ['a lone stuffed dot', '..\r\n.\r\n', '.\r\n', ''],
  ['a dot that nobody stuffed', '.a\r\n.\r\n', 'a\r\n', ''],
  ['dots inside a line', 'a.\r\na.b\r\n.\r\n', 'a.\r\na.b\r\n', ''],
];

describe('DataReader', () => {
  for (const [name, wire, text, rest] of cases)
    test(`reads ${name}, whole and octet by octet`, () => {
      expect(read(wire)).toEqual({ text, rest, ended: true, bare: false });
      expect(read(wire, { size: 1 })).toEqual({ text, rest, ended: true, bare: false });
    });

  // The ends of data that servers were found to honour beside CRLF.CRLF (CVE-2023-51764, -51765, -51766, -2024-27305).
  const smuggled = [
    '\n.\n',
    '\n.\r\n',
    '\r\n.\n',
    '\r.\r',
    '\r\n.\r',
    '\r.\r\n',
    '\r\n\0.\r\n',
    '\n\n.\r\n',
    '\r\r\n.\r\r\n',
  ];
  for (const end of smuggled)
    for (const size of [1, 100])
      test(`finds no end of data in ${JSON.stringify(end)} (pieces of ${size})`, () => {
        const wire = `a${end}MAIL FROM:<x@y>\r\n`;
        expect(read(wire, { size }).ended).toBe(false);
        if (!end.includes('\0')) expect(read(wire, { size }).bare).toBe(true);
        const normalized = read(wire, { size, normalize: true });
        expect(normalized.ended).toBe(false);
        expect(normalized.text).not.toMatch(/(^|[^\r])\n|\r([^\n]|$)/);
      });

  test('gives the same whatever the pieces', () => {
    const octets = fc
      .array(fc.constantFrom('a', '.', '\r', '\n', '\r\n'), { maxLength: 30 })
      .map((a) => a.join(''));
    fc.assert(
      fc.property(
        octets,
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        fc.boolean(),
        (wire, size, normalize, dotted) => {
          const whole = `${wire}\r\n.\r\n`;
          expect(read(whole, { size, normalize, dotted })).toEqual(read(whole, { normalize, dotted }));
        },
      ),
    );
  });

  test('makes a million bare line feeds right without taking one at a time', () => {
    const reader = new DataReader({ dotted: true, normalize: true });
    const before = process.cpuUsage();
    reader.read(Buffer.alloc(1_000_000, '\n.'));
    const content = reader.take();
    const { user, system } = process.cpuUsage(before);
    expect(content?.equals(Buffer.alloc(1_500_000, '\r\n.'))).toBe(true);
    expect((user + system) / 1000).toBeLessThan(500);
  });

  test('undoes what dot-stuffing did, for any lines', () => {
    const lines = fc.array(
      fc.string().map((line) => line.replace(/[\r\n]/g, '')),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(lines, (content) => {
        const text = content.map((line) => `${line}\r\n`).join('');
        const wire = `${content.map((line) => `${line.replace(/^\./, '..')}\r\n`).join('')}.\r\n`;
        const latin1 = Buffer.from(text).toString('latin1');
        expect(read(Buffer.from(wire).toString('latin1')).text).toBe(latin1);
      }),
    );
  });

  test('leaves dots alone in BDAT chunks and finds no end in them', () => {
    expect(read('..a\r\n.\r\nb', { dotted: false })).toMatchObject({ text: '..a\r\n.\r\nb', ended: false });
  });

  test('finish() counts a last CR as bare', () => {
    const reader = new DataReader({ dotted: false, normalize: false });
    reader.read(Buffer.from('a\r'));
    reader.finish();
    expect(reader.bareNewline).toBe(true);
    expect(reader.take()?.toString()).toBe('a\r');
  });
});
