import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crlfToLf, lfToCrlf, missingCrs } from './line-ends.ts';

/** All chunks, converted into one block. */
function shortened(chunks: Buffer[]): Buffer {
  const { convert, end } = crlfToLf();
  const block = Buffer.alloc(Buffer.concat(chunks).length + 1);
  const used = chunks.reduce((at, chunk) => convert(chunk, block, at), 0);
  return block.subarray(0, end(block, used));
}

function lengthened(chunks: Buffer[]): Buffer {
  const { convert, end } = lfToCrlf();
  return Buffer.concat([...chunks.map((chunk) => convert(chunk)), end()]);
}

const toBuffers = (chunks: string[]) => chunks.map((chunk) => Buffer.from(chunk));

test.each([
  ['a CRLF', ['a\r\nb\r\n'], 'a\nb\n'],
  ['a CRLF in two chunks', ['a\r', '\nb'], 'a\nb'],
  ['a bare LF', ['a\nb'], 'a\nb'],
  ['a bare CR', ['a\rb', '\r'], 'a\rb\r'],
  ['CR CR LF', ['a\r\r', '\nb'], 'a\r\nb'],
  ['an empty chunk after CR', ['a\r', '', '\n'], 'a\n'],
])('crlfToLf() converts %s', (_, chunks, expected) => {
  expect(String(shortened(toBuffers(chunks)))).toBe(expected);
});

test.each([
  ['an LF', ['a\nb\n'], 'a\r\nb\r\n'],
  ['a CRLF, which stays', ['a\r', '\nb\r\n'], 'a\r\nb\r\n'],
  ['an LF at the begin of a chunk', ['a', '\n', '\n'], 'a\r\n\r\n'],
])('lfToCrlf() converts %s', (_, chunks, expected) => {
  expect(String(lengthened(toBuffers(chunks)))).toBe(expected);
});

const line = fc.string({ unit: fc.constantFrom('a', ' ', '.', 'ü'), maxLength: 5 });

test('P2: a message of CRLF lines comes back octet for octet, however it is cut', () => {
  fc.assert(
    fc.property(fc.array(line), fc.integer({ min: 1, max: 4 }), (lines, length) => {
      const message = lines.map((text) => `${text}\r\n`).join('');
      const octets = Buffer.from(message);
      const file = shortened(cut(octets, length));
      expect(file.includes('\r')).toBe(false);
      expect(file.length + missingCrs(file)).toBe(octets.length);
      expect(String(lengthened(cut(file, length)))).toBe(message);
    }),
  );
});

function cut(octets: Buffer, length: number): Buffer[] {
  return Array.from({ length: Math.ceil(octets.length / length) }, (_, index) =>
    octets.subarray(index * length, (index + 1) * length),
  );
}
