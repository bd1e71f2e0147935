import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DotStuffer } from './dot-stuffing.ts';

function stuff(...pieces: string[]): string {
  const stuffer = new DotStuffer();
  const parts = pieces.map((piece) => stuffer.stuff(Buffer.from(piece)));
  return Buffer.concat([...parts, stuffer.end()]).toString();
}

describe('DotStuffer', () => {
  test.each([
    ['nothing', '', '.\r\n'],
    ['a dot alone', '.', '..\r\n.\r\n'],
    ['a line', 'a\r\n', 'a\r\n.\r\n'],
    ['a line without its end', 'a', 'a\r\n.\r\n'],
    ['a line with half its end', 'a\r', 'a\r\n.\r\n'],
    ['lines of dots', '.\r\n..\r\n.\r\n', '..\r\n...\r\n..\r\n.\r\n'],
    ['dots within lines', 'a.\r\nb..c\r\n', 'a.\r\nb..c\r\n.\r\n'],
    ['a dot after a bare LF, which ends no line', 'a\n.b\r\n', 'a\n.b\r\n.\r\n'],
    ['a bare LF at the end', 'a\n', 'a\n\r\n.\r\n'],
  ])('stuffs %s, cut anywhere', (_claim, content, stuffed) => {
    expect(stuff(content)).toBe(stuffed);
    expect(stuff(...content)).toBe(stuffed);
    for (let at = 1; at < content.length; at++) {
      expect(stuff(content.slice(0, at), '', content.slice(at))).toBe(stuffed);
    }
  });

  test('what it makes has one terminator, and is the content again without its dots', () => {
    const piece = fc
      .array(fc.constantFrom('.', '\r\n', '\r\n.', 'a', '\r', '\n'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const stuffed = stuff(...pieces);
        expect(`\r\n${stuffed}`.indexOf('\r\n.\r\n')).toBe(stuffed.length - 3);
        const content = `\r\n${stuffed.slice(0, -3)}`.replaceAll('\r\n.', '\r\n').slice(2);
        expect(content.startsWith(pieces.join(''))).toBe(true);
        expect(['', '\n', '\r\n']).toContain(content.slice(pieces.join('').length));
      }),
    );
  });
});
