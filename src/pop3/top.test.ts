import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstLines } from './top.ts';

async function* cut(content: string, pieceBytes: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function top(content: string, bodyLines: number, pieceBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of firstLines(cut(content, pieceBytes), bodyLines)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe('firstLines()', () => {
  test.each([
    ['the header', 'A: b\r\nC: d\r\n\r\none\r\ntwo\r\n', 0, 'A: b\r\nC: d\r\n\r\n'],
    ['a line of the body', 'A: b\r\n\r\none\r\ntwo\r\n', 1, 'A: b\r\n\r\none\r\n'],
    ['blank lines of the body', 'A: b\r\n\r\n\r\n\r\ntwo\r\n', 2, 'A: b\r\n\r\n\r\n\r\n'],
    ['all of a short body', 'A: b\r\n\r\none\r\ntwo', 9, 'A: b\r\n\r\none\r\ntwo'],
    ['all of a message without a body', 'A: b\r\nC: d\r\n', 0, 'A: b\r\nC: d\r\n'],
    ['a message without a header', '\r\none\r\ntwo\r\n', 1, '\r\none\r\n'],
    ['nothing of nothing', '', 3, ''],
  ])('passes on %s, cut anywhere', async (_claim, content, bodyLines, expected) => {
    for (const pieceBytes of [1, 2, 3, 5, 1000]) {
      expect(await top(content, bodyLines, pieceBytes)).toBe(expected);
    }
  });

  test('is what a split into lines gives', async () => {
    const line = fc.constantFrom('', 'a', 'Subject: long', '.');
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.nat(5),
        fc.integer({ min: 1, max: 9 }),
        async (lines, bodyLines, size) => {
          const blank = lines.indexOf('');
          const shown = blank === -1 ? lines : lines.slice(0, blank + 1 + bodyLines);
          const text = (all: string[]) => all.map((one) => `${one}\r\n`).join('');
          expect(await top(text(lines), bodyLines, size)).toBe(text(shown));
        },
      ),
    );
  });

  test('closes what it reads from once it has enough', async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.from('\r\n');
      } finally {
        closed = true;
      }
    }
    let pieces = 0;
    for await (const _ of firstLines(endless(), 3)) pieces++;
    expect(pieces).toBe(4);
    expect(closed).toBe(true);
  });
});
