import { createHash, createPrivateKey, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseHeader } from '../mail/header.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { dkimRecord, generateDkimKey } from './dkim-key.ts';
import { startDkim } from './dkim-verify.ts';
import { keyFinder } from './key-record.ts';
import { lookUps } from './look-ups.ts';
import { SignedBody } from './signed-body.ts';
import { SignedHeader, signatureLimits } from './signed-header.ts';

const key = await generateDkimKey('ed25519');
const resolver = scriptedResolver({ 's._domainkey.example.com': { TXT: [dkimRecord(key).value] } });
const now = Date.UTC(2026, 0, 1);
const from = 'From: a@example.com\r\n';

/** A true signature over From and the first octets of a body whose canonical form is `canonical`. */
function signature(
  canonical: string,
  { c = 'relaxed/relaxed', l = canonical.length, more = '' } = {},
): string {
  const bh = createHash('sha256').update(canonical.slice(0, l)).digest('base64');
  const length = l < canonical.length ? ` l=${l};` : '';
  const value = `v=1; a=ed25519-sha256; c=${c}; d=example.com; s=s; h=from;${length}${more} bh=${bh}; b=`;
  const signed = `from:a@example.com\r\ndkim-signature:${value}`;
  const b = sign(null, createHash('sha256').update(signed).digest(), createPrivateKey(key));
  return `DKIM-Signature: ${value}${b.toString('base64')}\r\n`;
}

async function* chunks(...parts: string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

async function check(header: string, body: AsyncIterable<Buffer>, signal = new AbortController().signal) {
  const { fields } = parseHeader(Buffer.from(`${header}\r\n`));
  const signedBody = new SignedBody();
  const findKey = keyFinder(lookUps(resolver, 20, signal));
  const finish = startDkim({ header: new SignedHeader(fields), body: signedBody, findKey, now }, fields);
  await signedBody.read(body, signal);
  return finish();
}

const resultsOf = (verdicts: Awaited<ReturnType<typeof check>>) => verdicts.map(({ result }) => result);

describe('startDkim()', () => {
  test('P11: a true signature passes, however the body is cut; another body fails', async () => {
    const signed = signature('Hello.\r\n') + from;
    expect(await check(signed, chunks('Hel', 'lo.\r', '\n'))).toMatchObject([
      { result: 'pass', domain: 'example.com', selector: 's', algorithm: 'ed25519-sha256', keyBits: 256 },
    ]);
    expect(resultsOf(await check(signed, chunks('Hello!\r\n')))).toEqual(['fail']);
  });

  test('each signature is checked by its own canonicalization and length, in one pass', async () => {
    const body = 'one  two \r\nthree\r\n';
    const relaxed = 'one two\r\nthree\r\n';
    const simple = { c: 'relaxed/simple' };
    const signatures = [
      signature(relaxed),
      signature(relaxed, { l: 3 }),
      signature(relaxed, { l: 0 }),
      signature(body, simple),
      signature(body, { ...simple, l: 5 }),
      signature(relaxed, simple),
    ];
    const verdicts = await check(signatures.join('') + from, chunks(body));
    expect(resultsOf(verdicts)).toEqual(['pass', 'pass', 'pass', 'pass', 'pass', 'fail']);
    expect(verdicts.map(({ reason }) => /the last (\d+) octets/.exec(reason)?.[1])).toEqual(
      [undefined, '13', '16', undefined, '13', undefined], // as long as the canonical body less l=
    );
  });

  test('a line of a megabyte is a line like any other', async () => {
    const line = 'x'.repeat(1_000_000);
    expect(resultsOf(await check(signature(`${line}\r\n`) + from, chunks(line)))).toEqual(['pass']);
  });

  test('a signature that has expired does not pass', async () => {
    const expired = signature('', { more: ` x=${now / 1000 - 1};` });
    expect(await check(expired + from, chunks())).toMatchObject([
      { result: 'neutral', reason: 'the signature has expired (x=)' },
    ]);
  });

  test.each([
    ['is not signed', from, 0],
    [
      'has no signature within the limits',
      `DKIM-Signature:${' '.repeat(signatureLimits.signatureOctets)}\r\n${from}`,
      1,
    ],
  ])('does not read the body of a message that %s', async (_, header, verdicts) => {
    const unread: AsyncIterable<Buffer> = {
      [Symbol.asyncIterator]: () => {
        throw new Error('the body was read');
      },
    };
    expect(await check(header, unread)).toHaveLength(verdicts);
  });

  test('counts the signatures beyond the limit', async () => {
    const verdicts = await check(
      signature('a\r\n').repeat(signatureLimits.signatures + 2) + from,
      chunks('a'),
    );
    expect(resultsOf(verdicts)).toEqual([...Array(signatureLimits.signatures).fill('pass'), 'policy']);
    expect(verdicts.at(-1)?.reason).toBe('2 signatures not checked: only 10 signatures are checked');
  });

  test('rejects where the message cannot be read, and not where time is up', async () => {
    const lost = new Error('the disk is gone');
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('a');
      throw lost;
    }
    await expect(check(signature('') + from, broken())).rejects.toBe(lost);
    expect(await check(signature('') + from, broken(), AbortSignal.abort())).toMatchObject([
      { result: 'temperror', reason: 'no time was left to read the message' },
    ]);
  });
});
