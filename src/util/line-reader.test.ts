import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineReader } from './line-reader.ts';

const maxSkippedBytes = 1000;

/** The lines of `pieces`, taken as they come. */
function read(limit: number, ...pieces: string[]): string[] {
  const reader = new LineReader(maxSkippedBytes);
  const lines: string[] = [];
  for (const piece of pieces) {
    reader.push(Buffer.from(piece));
    for (let line = reader.line(limit); line !== undefined; line = reader.line(limit))
      lines.push(String(line));
  }
  return lines;
}

describe('LineReader', () => {
  test('ends lines at CRLF and at LF, not at CR', () => {
    expect(read(20, 'a\r\nb\n\r\n\nc\rd\r\r\ne')).toEqual(['a', 'b', '', '', 'c\rd\r']);
  });

  test('a line is too long by its octets, its end included; the next one is not', () => {
    expect(read(6, 'abcd\r\nabcde\r\nabcde\nabcdef\nx\n')).toEqual([
      'abcd',
      'tooLong',
      'abcde',
      'tooLong',
      'x',
    ]);
  });

  test('gives the same lines however they are cut', () => {
    const text = fc
      .array(fc.constantFrom('\r', '\n', '\r\n', 'a', 'bcd', '1234567'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (all) => {
        expect(read(8, ...all)).toEqual(read(8, all));
      }),
    );
  });

  test('holds no more than a line, and calls one endless in time', () => {
    const reader = new LineReader(maxSkippedBytes);
    let sentBytes = 0;
    for (let line = reader.line(255); line === undefined; line = reader.line(255)) {
      expect(reader.heldBytes).toBeLessThan(255);
      expect(sentBytes).toBeLessThanOrEqual(maxSkippedBytes + 255);
      reader.push(Buffer.alloc(100, 'x'));
      sentBytes += 100;
    }
    expect(sentBytes).toBeGreaterThan(maxSkippedBytes);
    expect(reader.line(255)).toBe('endless');
  });

  test('clear() forgets all, a line that was being skipped too', () => {
    const reader = new LineReader(maxSkippedBytes);
    reader.push(Buffer.alloc(300, 'x'));
    reader.line(255);
    reader.clear();
    reader.push(Buffer.from('NOOP\n'));
    expect(String(reader.line(255))).toBe('NOOP');
  });
});
