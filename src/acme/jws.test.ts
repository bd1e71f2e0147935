import { createHmac, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newEcKey } from '../util/certificate-writer.ts';
import { externalBinding, jwkOf, keyAuthorization, signed, thumbprint } from './jws.ts';
import { newKey } from './keys.ts';

const key = newEcKey();
const decoded = (text: string) => JSON.parse(String(Buffer.from(text, 'base64url')));

describe('signed()', () => {
  const signing = { key, url: 'https://ca.example/new-order', nonce: 'n' };

  it('is a signature that the key verifies, with nonce and address', () => {
    const jws = signed({ a: 1 }, { ...signing, account: 'https://ca.example/account/1' });
    expect(decoded(jws.protected)).toEqual({
      alg: 'ES256',
      kid: 'https://ca.example/account/1',
      nonce: 'n',
      url: 'https://ca.example/new-order',
    });
    expect(decoded(jws.payload)).toEqual({ a: 1 });
    const said = Buffer.from(`${jws.protected}.${jws.payload}`);
    const signature = Buffer.from(jws.signature, 'base64url');
    expect(signature).toHaveLength(64);
    expect(verify('sha256', said, { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' }, signature)).toBe(
      true,
    );
  });

  it('is RS256 of an RSA key, as certificates may have one', async () => {
    const rsa = await newKey('rsa');
    const jws = signed({ a: 1 }, { ...signing, key: rsa });
    const { alg, jwk } = decoded(jws.protected);
    expect([alg, Object.keys(jwk)]).toEqual(['RS256', ['e', 'kty', 'n']]);
    const said = Buffer.from(`${jws.protected}.${jws.payload}`);
    const shown = createPublicKey({ key: jwk, format: 'jwk' });
    expect(verify('sha256', said, shown, Buffer.from(jws.signature, 'base64url'))).toBe(true);
  });

  it('shows the key where there is no account yet, and says nothing in POST-as-GET', () => {
    const jws = signed(undefined, signing);
    expect(decoded(jws.protected).jwk).toEqual(jwkOf(key));
    expect(jws.payload).toBe('');
  });
});

it('thumbprint() is SHA-256 of the key’s members, in order', () => {
  expect(Object.keys(jwkOf(key))).toEqual(['crv', 'kty', 'x', 'y']);
  expect(keyAuthorization('token', key)).toBe(`token.${thumbprint(key)}`);
  expect(thumbprint(key)).toMatch(/^[\w-]{43}$/);
});

it('externalBinding() is the account’s key, signed with the one that the authority gave', () => {
  const hmacKey = Buffer.from('a secret').toString('base64url');
  const jws = externalBinding(key, { keyId: 'customer', hmacKey, url: 'https://ca.example/new-account' });
  expect(decoded(jws.protected)).toEqual({
    alg: 'HS256',
    kid: 'customer',
    url: 'https://ca.example/new-account',
  });
  expect(decoded(jws.payload)).toEqual(jwkOf(key));
  const expected = createHmac('sha256', 'a secret').update(`${jws.protected}.${jws.payload}`);
  expect(jws.signature).toBe(expected.digest('base64url'));
});

it('jwkOf() knows keys of ECDSA only', async () => {
  const rsa = await newKey('rsa');
  expect(() => jwkOf(rsa)).toThrow('ECDSA P-256');
});
