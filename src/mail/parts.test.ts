import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeBody } from './decode-body.ts';
import type { Entity } from './entity.ts';
import { partsOf } from './parts.ts';

interface ExpectedPart {
  /** Offsets of its header, its body, and its end. */
  at: [number, number, number];
  type: string | null;
  /** Of the decoded body, where it is not text. */
  sha256?: string;
  /** Of text, read by its charset, as UTF-8. */
  sha256text?: string;
}

const messages: { file: string; message: string; lf: ExpectedPart[]; crlf: ExpectedPart[] }[] = JSON.parse(
  readFileSync(new URL('../../testdata/mime/messages.json', import.meta.url), 'utf8'),
);

describe('suite mime: parts', () => {
  test.each(messages)('suite mime: parts of $file', ({ file, message, lf, crlf }) => {
    expectParts(Buffer.from(message, 'latin1'), lf);
    if (file !== strayReturn) expectParts(Buffer.from(message.replaceAll('\n', '\r\n'), 'latin1'), crlf);
  });
});

/** Its expectation for CRLF is of a file that ends in a stray CR: one octet more than its lines have. */
const strayReturn = 'legacy/049.eml';

/** Nothing here reads UTF-7; and of what is said to be base64 and is none, the suite keeps the text, and we what decodes. */
const isUnread = (charset: string, body: Buffer, { encoding }: Entity): boolean =>
  /^utf-7$/i.test(charset) || (encoding === 'base64' && body.includes('...'));

const hashOf = (octets: Buffer | string) => createHash('sha256').update(octets).digest('hex');

function expectParts(bytes: Buffer, expected: readonly ExpectedPart[]): void {
  const { entities, cut } = partsOf(bytes);
  expect(cut).toBeUndefined();
  expect(entities.map(({ span, body }) => [span.start, body.start, body.end])).toEqual(
    expected.map(({ at }) => at),
  );
  for (const [index, entity] of entities.entries()) {
    const { sha256, sha256text, type } = expected[index] ?? {};
    if (type !== null && entity.type) expect(`${entity.type.type}/${entity.type.subtype}`).toBe(type);
    const body = bytes.subarray(entity.body.start, entity.body.end);
    const decoded = decodeBody(body, entity.encoding) ?? body;
    if (sha256 !== undefined) expect(hashOf(decoded)).toBe(sha256);
    const charset = entity.type?.parameters.get('charset') ?? 'utf-8';
    if (sha256text !== undefined && !isUnread(charset, body, entity))
      expect(hashOf(new TextDecoder(charset).decode(decoded))).toBe(sha256text);
  }
}

describe('partsOf()', () => {
  const manyParts = (count: number) =>
    Buffer.from(`Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(count)}--b--\n`);

  test('stops at 1,000 parts of 100,000', () => {
    const { entities, cut } = partsOf(manyParts(100_000));
    expect(entities).toHaveLength(1000);
    expect(cut).toBe('more than 1000 parts');
    expect(partsOf(manyParts(999)).cut).toBeUndefined();
  });

  test('goes 20 multiparts deep, however many there are', () => {
    const opened = Array.from(
      { length: 5000 },
      (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\n\n--b${n}\n`,
    );
    const { entities, cut } = partsOf(Buffer.from(opened.join('')));
    expect(entities).toHaveLength(21);
    expect(cut).toBe('parts more than 20 deep');
  });

  test('reads no header beyond its limit', () => {
    const { entities, cut } = partsOf(Buffer.from(`X: ${'y'.repeat(2000)}\n\nbody`), { headerBytes: 1000 });
    expect(entities).toEqual([]);
    expect(cut).toBe('a header of more than 1000 octets');
  });

  test('reads a digest as messages, and does not go into them', () => {
    const { entities } = partsOf(
      Buffer.from('Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: a\n\nbody\n--b--\n'),
    );
    expect(entities.map(({ type }) => `${type?.type}/${type?.subtype}`)).toEqual([
      'multipart/digest',
      'message/rfc822',
    ]);
  });

  test('does not search for what no part has in all that follows it', () => {
    // Each of these parts is a multipart without its delimiter: to look for it to the end of the message is quadratic.
    const part = '--b\nContent-Type: multipart/mixed; boundary=none\n\n';
    const message = Buffer.from(
      `Content-Type: multipart/mixed; boundary=b\n\n${part.repeat(900)}${' '.repeat(20_000_000)}`,
    );
    const startedAt = performance.now();
    partsOf(message);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});
