import { createHash, createPrivateKey, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Resolver } from '../dns/resolver.ts';
import { parseHeader } from '../mail/header.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { dkimRecord, generateDkimKey } from './dkim-key.ts';
import { startDkim } from './dkim-verify.ts';
import { keyFinder } from './key-record.ts';
import { lookUps } from './look-ups.ts';
import { SignedBody } from './signed-body.ts';
import { SignedHeader, signatureLimits } from './signed-header.ts';

const key = await generateDkimKey('ed25519');
const record = dkimRecord(key).value;
const resolver = scriptedResolver({ 's._domainkey.example.com': { TXT: [record] } });
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

async function check(
  header: string,
  body: AsyncIterable<Buffer>,
  signal = new AbortController().signal,
  keys: Resolver = resolver,
) {
  const { fields } = parseHeader(Buffer.from(`${header}\r\n`));
  const signedBody = new SignedBody();
  const findKey = keyFinder(lookUps(keys, 20, signal));
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

/** The tags of a signature that is true, and what is made of it. */
const good = {
  v: '1',
  a: 'ed25519-sha256',
  c: 'relaxed/relaxed',
  d: 'example.com',
  s: 's',
  h: 'from',
  bh: createHash('sha256').update('a\r\n').digest('base64'),
};

/** Truly signed over From and itself, whatever its tags say. */
function signedBy(tags: Record<string, string | undefined>): string {
  const all = { ...good, ...tags };
  const list = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${value}; `,
  );
  const field = `dkim-signature:${list.join('')}b=`;
  const names = (all.h ?? '')
    .toLowerCase()
    .split(':')
    .map((name) => name.trim());
  const covered = [...(names.includes('from') ? ['from:a@example.com'] : []), field].join('\r\n');
  const b = sign(null, createHash('sha256').update(covered).digest(), createPrivateKey(key));
  return `${field}${b.toString('base64')}\r\n${from}`;
}

const second = now / 1000;

describe('a DKIM signature', () => {
  test.each<[string, Record<string, string | undefined>, string, RegExp]>([
    ['that is good', {}, 'pass', /^verified$/],
    ['with tags that nobody knows', { zz: 'x', n: 'y' }, 'pass', /^verified$/],
    ['of a subdomain (i=)', { i: 'joe@mail.example.com' }, 'pass', /^verified$/],
    ['of a quoted local part', { i: '"a@b"@example.com' }, 'pass', /^verified$/],
    ['that has time left (x=)', { t: `${second - 10}`, x: `${second + 10}` }, 'pass', /^verified$/],
    ['made in the future (t=)', { t: `${second + 1000}` }, 'pass', /^verified$/],
    ['with a way to its key (q=)', { q: 'dns/other:dns/txt' }, 'pass', /^verified$/],
    [
      'over nothing of the body (l=0)',
      { l: '0', bh: createHash('sha256').digest('base64') },
      'pass',
      /last 3 octets .* not signed \(l=\)/,
    ],
    ['over more than the body (l=)', { l: '4' }, 'fail', /shorter than l= says/],
    ['of another version', { v: '2' }, 'neutral', /v= is not 1/],
    ['without a version', { v: undefined }, 'neutral', /v= is not 1/],
    ['without From (h=)', { h: 'to:subject' }, 'neutral', /From is not signed/],
    ['without h=', { h: undefined }, 'neutral', /h= is missing/],
    ['without bh=', { bh: undefined }, 'neutral', /bh= is missing/],
    ['without a domain', { d: undefined }, 'neutral', /d= is missing/],
    ['of a top-level domain', { d: 'com' }, 'neutral', /d= is no domain/],
    ['of no domain', { d: 'exa mple.com' }, 'neutral', /d= is no domain/],
    ['of an unknown algorithm', { a: 'rsa-md5' }, 'neutral', /a= names no algorithm/],
    ['by SHA-1 (RFC 8301)', { a: 'rsa-sha1' }, 'policy', /sha1 proves nothing/],
    ['by another kind of key', { a: 'rsa-sha256' }, 'permerror', /type ed25519/],
    ['of another identity (i=)', { i: 'joe@example.org' }, 'neutral', /i= is not of the domain/],
    ['of a domain that ends alike (i=)', { i: '@notexample.com' }, 'neutral', /i= is not of the domain/],
    ['that has expired (x=)', { t: `${second - 10}`, x: `${second - 5}` }, 'neutral', /expired/],
    ['that expired before it was made', { t: '20', x: '10' }, 'neutral', /not after t=/],
    ['of no time', { t: 'now' }, 'neutral', /t= is no time/],
    ['of no length', { l: '-1' }, 'neutral', /l= is no number/],
    ['of an unknown canonicalization', { c: 'relaxed/nofws' }, 'neutral', /c= names/],
    ['without a way to its key (q=)', { q: 'http' }, 'neutral', /q= names no way/],
    ['of a selector without a key', { s: 'other' }, 'permerror', /no key at other\._domainkey/],
  ])('%s', async (_, tags, result, reason) => {
    const [verdict] = await check(signedBy(tags), chunks('a'));
    expect(verdict).toMatchObject({ result, reason: expect.stringMatching(reason) });
  });

  test('whose tag stands twice is none', async () => {
    const twice = signedBy({}).replace('d=example.com', 'd=example.com; d=example.com');
    expect(await check(twice, chunks('a'))).toMatchObject([
      { result: 'neutral', domain: '', reason: expect.stringContaining('d= stands twice') },
    ]);
  });

  test('says what was left out of the body, in octets too', async () => {
    const l0 = { l: '0', bh: createHash('sha256').digest('base64') };
    expect(await check(signedBy(l0), chunks('a'))).toMatchObject([{ unsignedOctets: 3 }]);
  });

  test.each([
    ['for testing (t=y)', `${record}; t=y`, {}, 'pass', /testing DKIM/],
    ['for the domain itself (t=s)', `${record}; t=s`, {}, 'pass', /^verified$/],
    ['for the domain itself, by a subdomain', `${record}; t=s`, { i: '@x.example.com' }, 'permerror', /t=s/],
    ['that was revoked', 'v=DKIM1; k=ed25519; p=', {}, 'permerror', /revoked/],
    ['for another service', `${record}; s=tlsrpt`, {}, 'permerror', /not for mail/],
    ['that is no key record', 'hello', {}, 'permerror', /cannot be read/],
  ])('with a key %s', async (_, text, tags, result, reason) => {
    const keys = scriptedResolver({ 's._domainkey.example.com': { TXT: [text] } });
    const [verdict] = await check(signedBy(tags), chunks('a'), undefined, keys);
    expect(verdict).toMatchObject({ result, reason: expect.stringMatching(reason) });
    expect(verdict?.keyRecord).toContain(text.slice(0, 20));
  });

  test('is not saved by another field of its name, or broken by one above', async () => {
    expect(resultsOf(await check(`From: evil@example.org\r\n${signedBy({})}`, chunks('a')))).toEqual([
      'pass',
    ]);
    const oversigned = signedBy({ h: 'from:from' });
    expect(resultsOf(await check(oversigned, chunks('a')))).toEqual(['pass']);
    expect(resultsOf(await check(`From: evil@example.org\r\n${oversigned}`, chunks('a')))).toEqual(['fail']);
  });

  test('is broken by a line that is no field, in what it covers', async () => {
    expect(resultsOf(await check(`${signedBy({})}stray\r\n`, chunks('a')))).toEqual(['fail']);
  });

  test('whose key cannot be looked up is open, unless its body has changed', async () => {
    const keys = scriptedResolver({}, { failures: { 's._domainkey.example.com': 'timeout' } });
    expect(resultsOf(await check(signedBy({}), chunks('a'), undefined, keys))).toEqual(['temperror']);
    expect(resultsOf(await check(signedBy({}), chunks('b'), undefined, keys))).toEqual(['fail']);
  });
});
