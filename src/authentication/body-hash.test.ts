import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { dkimBody } from 'mailauth/lib/dkim/body/index.js';
import { expect, it } from 'vitest';
import { bodyHasher } from './body-hash.ts';

const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('base64');

function hashOf(...chunks: string[]): string {
  const hasher = bodyHasher();
  for (const chunk of chunks) hasher.update(Buffer.from(chunk, 'latin1'));
  return hasher.digest();
}

it.each([
  ['nothing stays nothing', '', ''],
  ['only line ends are nothing', '\r\n\r\n', ''],
  ['only white space is nothing', ' \t\r\n \t', ''],
  ['a missing line end is added', 'a', 'a\r\n'],
  ['line ends at the end become one', 'a\r\n\r\n \r\n', 'a\r\n'],
  ['line ends inside stay', 'a\r\n\r\n\r\nb\r\n', 'a\r\n\r\n\r\nb\r\n'],
  ['white space before a line end goes', 'a \t\r\nb\t \r\n', 'a\r\nb\r\n'],
  ['white space inside becomes one space', 'a \t  b\tc d', 'a b c d\r\n'],
  ['white space at the start of a line is kept as one space', '  a\r\n\tb', ' a\r\n b\r\n'],
  ['RFC 6376 §3.4.5', ' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
  ['a bare CR is content', 'a\rb \r c\r', 'a\rb \r c\r\r\n'],
  ['two CRs: only the second ends the line', 'a\r\r\nb', 'a\r\r\nb\r\n'],
  ['a bare LF is content', 'a \nb', 'a \nb\r\n'],
  ['octets above ASCII are content', 'gr\xfc\xdfe \xa0 x', 'gr\xfc\xdfe \xa0 x\r\n'],
])('bodyHasher(): %s', (_, body, canonical) => {
  expect(hashOf(body)).toBe(sha256(canonical));
  expect(hashOf(...body)).toBe(sha256(canonical));
});

it('bodyHasher() withholds any number of line ends in little memory', () => {
  const lineEnds = '\r\n'.repeat(100_000);
  expect(hashOf('a', lineEnds, '\r', '\n', 'b')).toBe(sha256(`a${lineEnds}\r\nb\r\n`));
  expect(hashOf('a', lineEnds, lineEnds)).toBe(sha256('a\r\n'));
});

it('bodyHasher() agrees with the verifier, however the body is cut', () => {
  const pieces = fc.constantFrom(' ', '\t', '\r\n', '\r\n', 'word', 'x', '\xe9', ' \r\n', '\r');
  const bodies = fc.array(
    fc.array(pieces, { maxLength: 12 }).map((words) => words.join('')),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(bodies, (chunks) => {
      const other = dkimBody('relaxed', 'sha256', '');
      other.update(Buffer.from(chunks.join(''), 'latin1'));
      expect(hashOf(...chunks)).toBe(other.digest('base64'));
    }),
  );
});
