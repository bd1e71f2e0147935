import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DotStuffer } from './dot-stuffing.ts';

function stuff(...chunks: string[]): string {
  const stuffer = new DotStuffer();
  const pieces = chunks.map((chunk) => stuffer.push(Buffer.from(chunk, 'latin1')));
  return Buffer.concat([...pieces, stuffer.end()]).toString('latin1');
}

/** RFC 5321 §4.5.2, line by line. */
function stuffByLines(text: string): string {
  const doubled = text.replace(/(^|\r\n)\./g, '$1..');
  return text === '' || text.endsWith('\r\n') ? `${doubled}.\r\n` : `${doubled}\r\n.\r\n`;
}

describe('DotStuffer', () => {
  it.each([
    ['', '.\r\n'],
    ['a\r\n', 'a\r\n.\r\n'],
    ['a', 'a\r\n.\r\n'],
    ['a\r', 'a\r\r\n.\r\n'],
    ['a\n', 'a\n\r\n.\r\n'],
    ['.', '..\r\n.\r\n'],
    ['.\r\n', '..\r\n.\r\n'],
    ['a\r\n.\r\n.b\r\n', 'a\r\n..\r\n..b\r\n.\r\n'],
    ['a\n.\r\n', 'a\n.\r\n.\r\n'],
    ['\r\n\r\n.', '\r\n\r\n..\r\n.\r\n'],
  ])('makes %j into %j', (content, wire) => {
    expect(stuff(content)).toBe(wire);
    expect(stuff(...content)).toBe(wire);
  });

  it('does not depend on how the content is cut', () => {
    const text = fc.string({ unit: fc.constantFrom('\r', '\n', '.', 'a', '\r\n', '\r\n.'), maxLength: 30 });
    fc.assert(
      fc.property(fc.array(text), (chunks) => {
        expect(stuff(...chunks)).toBe(stuffByLines(chunks.join('')));
      }),
    );
  });

  it('copies no chunk without dots', () => {
    const chunk = Buffer.from('a\r\nb.\r\n');
    expect(new DotStuffer().push(chunk).buffer).toBe(chunk.buffer);
  });

  it('counts the content without what it adds', () => {
    const stuffer = new DotStuffer();
    stuffer.push(Buffer.from('.\r\n.'));
    stuffer.end();
    expect(stuffer.contentBytes).toBe(4);
  });
});
