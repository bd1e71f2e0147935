import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { dkimBody } from 'mailauth/lib/dkim/body/index.js';
import { expect, it } from 'vitest';
import { BodyHashes, bodyHasher } from './body-hash.ts';

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

it('bodyHasher() agrees with the verifier, however the body is cut', () => {
  fc.assert(
    fc.property(bodies, (chunks) => {
      const other = dkimBody('relaxed', 'sha256', '');
      other.update(Buffer.from(chunks.join(''), 'latin1'));
      expect(hashOf(...chunks)).toBe(other.digest('base64'));
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
  const whole = hashes.want('sha256', Number.POSITIVE_INFINITY);
  const lengths = Array.from(canonical, (_, length) => ({ length, hash: hashes.want('sha256', length) }));
  for (const octet of body) hashes.update(Buffer.from(octet, 'latin1'));
  expect(whole.digest()).toBe(sha256(canonical));
  expect(whole.bodyOctets()).toBe(canonical.length);
  for (const { length, hash } of lengths) expect(hash.digest()).toBe(sha256(canonical.slice(0, length)));
  expect(lengths[0]?.hash.digest()).toBe(empty);
});

it("BodyHashes agree with mailauth's, whatever the canonicalization, the lengths, and how the body is cut", () => {
  const length = fc.oneof(fc.nat({ max: 60 }), fc.constant(Number.POSITIVE_INFINITY));
  const wanted = fc.array(fc.tuple(fc.constantFrom('sha256' as const, 'sha1' as const), length), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(
      fc.constantFrom('relaxed' as const, 'simple' as const),
      bodies,
      wanted,
      (canonicalization, chunks, list) => {
        const hashes = new BodyHashes(canonicalization);
        const ours = list.map(([algorithm, most]) => hashes.want(algorithm, most));
        for (const chunk of chunks) hashes.update(Buffer.from(chunk, 'latin1'));
        const theirs = list.map(([algorithm, most]) => {
          const other = dkimBody(canonicalization, algorithm, Number.isFinite(most) ? most : '');
          other.update(Buffer.from(chunks.join(''), 'latin1'));
          return other.digest('base64');
        });
        expect(ours.map((hash) => hash.digest())).toEqual(theirs);
      },
    ),
  );
});

it('BodyHashes withhold any number of line ends in little memory', () => {
  const hashes = new BodyHashes('simple');
  const whole = hashes.want('sha256', Number.POSITIVE_INFINITY);
  const lineEnds = '\r\n'.repeat(100_000);
  for (const chunk of ['a', lineEnds, '\r', '\n', 'b', lineEnds]) hashes.update(Buffer.from(chunk));
  expect(whole.digest()).toBe(sha256(`a${lineEnds}\r\nb\r\n`));
});
