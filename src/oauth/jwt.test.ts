import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hmacToken, issuer, keySet, tokenOf, unsignedToken } from '../testing/tokens.ts';
import { maxKeys, readKeys } from './jwks.ts';
import { faultOf, isSignedBy, keysFor, longestToken, readToken, type Token } from './jwt.ts';

const now = Date.UTC(2026, 0, 5, 12);
const expected = { issuer, audience: 'mail', now };
const claims = { iss: issuer, aud: 'mail', exp: now / 1000 + 300 };
const keys = readKeys(keySet()) ?? [];

function read(text: string): Token {
  const token = readToken(text);
  if (typeof token === 'string') throw new Error(token);
  return token;
}
const isGood = (text: string) => isSignedBy(read(text), keysFor(read(text), keys));

describe('a signature', () => {
  test.each(['RS256', 'ES256', 'EdDSA'] as const)(
    'by %s is good, and none when a bit is changed',
    (algorithm) => {
      const token = tokenOf(claims, { algorithm });
      expect(isGood(token)).toBe(true);
      const [head, , signature] = token.split('.');
      const other = Buffer.from(JSON.stringify({ ...claims, sub: 'eve' })).toString('base64url');
      expect(isGood(`${head}.${other}.${signature}`)).toBe(false);
      expect(isGood(token.slice(0, -8))).toBe(false);
    },
  );

  test('without the name of a key may be of any key of its kind, and with one only of that', () => {
    expect(isGood(tokenOf(claims, { header: { kid: undefined } }))).toBe(true);
    expect(isGood(tokenOf(claims, { header: { kid: 'another' } }))).toBe(false);
    // The key's algorithm counts, whatever the token says.
    expect(isGood(tokenOf(claims, { algorithm: 'EdDSA', header: { alg: 'ES256' } }))).toBe(false);
  });

  test.each([
    ['none', unsignedToken(claims)],
    ['HS256 with the key that everybody knows', hmacToken(claims)],
    ['an extension that must be known', tokenOf(claims, { header: { crit: ['x'], x: 1 } })],
    ['too much', tokenOf({ ...claims, x: 'x'.repeat(longestToken) })],
    ['text', 'hello'],
    ['two parts', 'e30.e30'],
    ['no JSON', 'AAAA.AAAA.AAAA'],
    ['a list', `${Buffer.from('[]').toString('base64url')}.e30.AAAA`],
  ])('is not read of a token with %s', (_, text) => {
    expect(typeof readToken(text)).toBe('string');
  });

  test('reads or refuses, whatever comes', () => {
    const part = fc.oneof(
      fc.base64String(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        const token = readToken(parts.join('.'));
        if (typeof token !== 'string') expect(isSignedBy(token, keys)).toBe(false);
      }),
    );
  });
});

describe('faultOf()', () => {
  test.each([
    ['one audience', claims],
    ['several', { ...claims, aud: ['web', 'mail'] }],
    ['an end that was just now: clocks differ', { ...claims, exp: now / 1000 - 30 }],
    ['a beginning that is almost now', { ...claims, nbf: now / 1000 + 30 }],
  ])('finds none in %s', (_, good) => {
    expect(faultOf(good, expected)).toBeUndefined();
  });

  test.each([
    ['another issuer', { iss: `${issuer}/` }, /another issuer/],
    ['no issuer', { iss: undefined }, /another issuer/],
    ['another audience', { aud: 'web' }, /not for this server/],
    ['no audience', { aud: undefined }, /not for this server/],
    ['an audience that is no text', { aud: { mail: 1 } }, /not for this server/],
    ['no end', { exp: undefined }, /no end/],
    ['an end that is text', { exp: '9999999999' }, /no end/],
    ['an end that is past', { exp: now / 1000 - 60 }, /expired/],
    ['a beginning that is to come', { nbf: now / 1000 + 61 }, /not valid yet/],
    ['a beginning that is text', { nbf: '0' }, /not valid yet/],
  ])('names %s', (_, change, fault) => {
    expect(faultOf({ ...claims, ...change }, expected)).toMatch(fault);
  });
});

describe('readKeys()', () => {
  const jwk = (pair: { publicKey: import('node:crypto').KeyObject }) =>
    pair.publicKey.export({ format: 'jwk' });

  test('takes those that can verify, with their names', () => {
    expect(keys.map(({ id, algorithm }) => [id, algorithm])).toEqual([
      ['RS256', 'RS256'],
      ['ES256', 'ES256'],
      ['EdDSA', 'EdDSA'],
    ]);
  });

  test.each([
    ['a weak key', jwk(generateKeyPairSync('rsa', { modulusLength: 1024 }))],
    ['another curve', jwk(generateKeyPairSync('ec', { namedCurve: 'P-384' }))],
    ['a secret', { kty: 'oct', k: 'AAAA' }],
    ['a private key', generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })],
    ['a key for encryption', { ...jwk(generateKeyPairSync('ed25519')), use: 'enc' }],
    [
      'a key for another algorithm',
      { ...jwk(generateKeyPairSync('rsa', { modulusLength: 2048 })), alg: 'PS256' },
    ],
    ['no key', { kty: 'RSA' }],
    ['a number without end', { kty: 'RSA', n: 'A'.repeat(1_000_000), e: 'AQAB' }],
    [
      'an exponent that makes work',
      { ...jwk(generateKeyPairSync('rsa', { modulusLength: 2048 })), e: 'A'.repeat(342) },
    ],
    ['text', 'key'],
  ])('leaves out %s', (_, key) => {
    expect(readKeys({ keys: [key] })).toEqual([]);
  });

  test('looks at so many keys, and at no other document', () => {
    const [one] = keySet().keys.slice(1);
    expect(readKeys({ keys: Array.from({ length: maxKeys + 1 }, () => one) })).toHaveLength(maxKeys);
    for (const document of [null, {}, { keys: {} }, 'keys']) expect(readKeys(document)).toBeUndefined();
  });
});
