import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { suiteResolver } from '../testing/suite-resolver.ts';
import { keyFinder, readKeyRecord, shownOctets } from './key-record.ts';
import { lookUps } from './look-ups.ts';

const rsa = (bits: number, type: 'spki' | 'pkcs1' = 'spki') =>
  generateKeyPairSync('rsa', { modulusLength: bits })
    .publicKey.export({ type, format: 'der' })
    .toString('base64');
const key = rsa(1024);
const ed25519 = '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';

describe('readKeyRecord()', () => {
  test.each([
    ['RSA', `v=DKIM1; k=rsa; p=${key}`, { type: 'rsa', bits: 1024 }],
    ['RSA where no type is named', `p=${key}`, { type: 'rsa' }],
    ['a bare RSAPublicKey (RFC 6376 §3.6.1)', `p=${rsa(1024, 'pkcs1')}`, { type: 'rsa', bits: 1024 }],
    ['Ed25519', `v=DKIM1; k=ed25519; p=${ed25519}`, { type: 'ed25519', bits: 256 }],
    ['white space in the key', `p=${key.replace(/.{20}/g, '$& ')}`, { bits: 1024 }],
    ['tags that nobody knows', `v=DKIM1; x=1; n=a note; p=${key}`, { bits: 1024 }],
    ['a service type that is for all', `s=other:*; p=${key}`, { bits: 1024 }],
    ['the service type of mail', `s=tlsrpt : email; p=${key}`, { bits: 1024 }],
    ['hashes among which is ours', `h=sha1:SHA256; p=${key}`, { bits: 1024 }],
    ['flags', `t=y : s:x; p=${key}`, { testing: true, strictIdentity: true }],
    ['no flags', `p=${key}`, { testing: false, strictIdentity: false }],
  ])('reads %s', (_, record, expected) => {
    expect(readKeyRecord(record)).toMatchObject({ status: 'usable', key: expected });
  });

  test.each([
    ['a revoked key', 'v=DKIM1; p=', /revoked/],
    ['a record without p=', 'v=DKIM1; k=rsa', /no p=/],
    ['another version', `v=DKIM2; p=${key}`, /not of DKIM1/],
    ['a version that is not first (§3.6.1)', `p=${key}; v=DKIM1`, /not of DKIM1/],
    ['sha1 alone (RFC 8301)', `h=sha1; p=${key}`, /not for sha256/],
    ['another service', `s=tlsrpt; p=${key}`, /not for mail/],
    ['an unknown type', `k=dsa; p=${key}`, /unknown type, "dsa"/],
    ['what is no base64', 'p=!!', /cannot be read/],
    ['what is no key', 'p=AAAA', /cannot be read/],
    ['an RSA key called Ed25519', `k=ed25519; p=${key}`, /cannot be read/],
    ['an Ed25519 key called RSA', `k=rsa; p=${ed25519}`, /cannot be read/],
    ['a tag that stands twice', `p=${key}; p=${key}`, /stands twice/],
    ['a record of somebody else', 'some text', /is no tag/],
    ['more than anybody publishes', `p=${'A'.repeat(10_000)}`, /too long/],
  ])('does not use %s', (_, record, problem) => {
    expect(readKeyRecord(record)).toMatchObject({
      status: 'unusable',
      problem: expect.stringMatching(problem),
    });
  });

  test('RSA keys of less than 1024 bits prove nothing (RFC 8301 §3.2), and huge ones are not checked', () => {
    expect(readKeyRecord(`p=${rsa(768)}`)).toMatchObject({
      isWeak: true,
      problem: expect.stringMatching(/768 bits/),
    });
    expect(readKeyRecord(`p=${rsa(1023)}`)).toMatchObject({ isWeak: true });
    const modulus = Buffer.concat([Buffer.from([0x02, 0x82, 0x08, 0x01, 0x00]), Buffer.alloc(2048, 0xff)]);
    const body = Buffer.concat([modulus, Buffer.from([0x02, 0x03, 1, 0, 1])]);
    const huge = Buffer.concat([Buffer.from([0x30, 0x82, body.length >> 8, body.length & 255]), body]);
    expect(readKeyRecord(`p=${huge.toString('base64')}`)).toMatchObject({
      isWeak: true,
      problem: expect.stringMatching(/16384 bits/),
    });
  });

  test('what is shown of a record is one bounded line, with the beginning of its key', () => {
    const { text } = readKeyRecord(`v=DKIM1; n=${'x\n'.repeat(1000)}; p=${key}`);
    expect(text.length).toBeLessThanOrEqual(shownOctets + 3);
    expect(text).toMatch(/^[\x20-\x7e]*$/);
    expect(readKeyRecord(`v=DKIM1; p=${key}`).text).toBe(`v=DKIM1; p=${key.slice(0, 62)}...`);
  });
});

describe('keyFinder()', () => {
  const zone = { 's._domainkey.example.com': { TXT: [`v=DKIM1; p=${key}`] } };
  const finderOf = (resolver: ReturnType<typeof scriptedResolver>) =>
    keyFinder(lookUps(resolver, 10, new AbortController().signal));

  test('asks once for each name', async () => {
    const resolver = scriptedResolver(zone);
    const find = finderOf(resolver);
    await Promise.all([find('s', 'example.com'), find('S', 'example.com'), find('s', 'example.com')]);
    expect(resolver.questions).toHaveLength(1);
  });

  test('tells apart what is not there, what could not be asked, and what cannot be a name', async () => {
    const failures = { 't._domainkey.example.com': 'servfail' } as const;
    const find = finderOf(scriptedResolver(zone, { failures }));
    expect(await find('x', 'example.com')).toEqual({
      status: 'absent',
      problem: 'there is no key at x._domainkey.example.com',
    });
    expect(await find('t', 'example.com')).toMatchObject({ status: 'failed' });
    expect(await find('x'.repeat(64), 'example.com')).toMatchObject({ status: 'absent' });
  });

  test('of several records under a name, takes the first that is a key (RFC 6376 §6.1.2)', async () => {
    const resolver = suiteResolver({
      's._domainkey.example.com': { TXT: [['some text'], ['v=DKIM1; p=', key]] },
    });
    const find = keyFinder(lookUps(resolver, 10, new AbortController().signal));
    expect(await find('s', 'example.com')).toMatchObject({ status: 'usable' });
  });
});
