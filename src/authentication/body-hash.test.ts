import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BodyHashes, bodyHasher } from './body-hash.ts';
import type { Canonicalization } from './canonical-body.ts';

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

const pieces = fc.constantFrom(' ', '\t', '\r\n', '\r\n', 'word', 'x', '\xe9', ' \r\n', '\r');
const bodies = fc.array(
  fc.array(pieces, { maxLength: 12 }).map((words) => words.join('')),
  { maxLength: 8 },
);

/** RFC 6376 §3.4.3 and §3.4.4 read out, for a body that is there whole. */
function canonicalForm(canonicalization: Canonicalization, body: string): string {
  const lines = body.split('\r\n');
  const canonical =
    canonicalization === 'simple'
      ? lines
      : lines.map((line) => line.replace(/[ \t]+$/, '').replace(/[ \t]+/g, ' '));
  while (canonical.at(-1) === '') canonical.pop();
  const isEmpty = canonical.length === 0;
  return isEmpty && canonicalization === 'relaxed' ? '' : `${canonical.join('\r\n')}\r\n`;
}

it('bodyHasher() agrees with the standard, however the body is cut', () => {
  fc.assert(
    fc.property(bodies, (chunks) => {
      expect(hashOf(...chunks)).toBe(sha256(canonicalForm('relaxed', chunks.join(''))));
    }),
  );
});

const empty = sha256('');

it.each([
  ['relaxed', 'a  b \r\n\r\n', 'a b\r\n'],
  ['simple', 'a  b \r\n\r\n', 'a  b \r\n'],
  ['simple', '', '\r\n'],
  ['simple', '\r\n\r\n', '\r\n'],
  ['simple', 'a\r\n\r', 'a\r\n\r\r\n'],
  ['simple', 'a\r\r\n', 'a\r\r\n'],
  ['simple', 'a\n\r\nb\n', 'a\n\r\nb\n\r\n'],
] as const)('BodyHashes: the %s form of %j is %j', (canonicalization, body, canonical) => {
  const hashes = new BodyHashes(canonicalization);
  const whole = hashes.want(Number.POSITIVE_INFINITY);
  const lengths = Array.from(canonical, (_, length) => ({ length, hash: hashes.want(length) }));
  for (const octet of body) hashes.update(Buffer.from(octet, 'latin1'));
  expect(whole.digest()).toBe(sha256(canonical));
  expect(whole.bodyOctets()).toBe(canonical.length);
  for (const { length, hash } of lengths) expect(hash.digest()).toBe(sha256(canonical.slice(0, length)));
  expect(lengths[0]?.hash.digest()).toBe(empty);
});

it('BodyHashes agree with the standard, whatever the canonicalization, the lengths, and how the body is cut', () => {
  const length = fc.oneof(fc.nat({ max: 60 }), fc.constant(Number.POSITIVE_INFINITY));
  const canonicalization = fc.constantFrom('relaxed' as const, 'simple' as const);
  fc.assert(
    fc.property(canonicalization, bodies, fc.array(length, { maxLength: 6 }), (kind, chunks, lengths) => {
      const hashes = new BodyHashes(kind);
      const ours = lengths.map((most) => hashes.want(most));
      for (const chunk of chunks) hashes.update(Buffer.from(chunk, 'latin1'));
      const whole = canonicalForm(kind, chunks.join(''));
      expect(ours.map((hash) => hash.digest())).toEqual(lengths.map((most) => sha256(whole.slice(0, most))));
    }),
  );
});

it('BodyHashes withhold any number of line ends in little memory', () => {
  const hashes = new BodyHashes('simple');
  const whole = hashes.want(Number.POSITIVE_INFINITY);
  const lineEnds = '\r\n'.repeat(100_000);
  for (const chunk of ['a', lineEnds, '\r', '\n', 'b', lineEnds]) hashes.update(Buffer.from(chunk));
  expect(whole.digest()).toBe(sha256(`a${lineEnds}\r\nb\r\n`));
});
