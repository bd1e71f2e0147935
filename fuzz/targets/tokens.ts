/** Tokens and the keys that verify them: what a client shows, and what an issuer's web server says. */

import { generateKeyPairSync, sign } from 'node:crypto';
import { addressIn } from '../../src/oauth/claims.ts';
import { readKeys } from '../../src/oauth/jwks.ts';
import { faultOf, isSignedBy, keysFor, longestToken, readToken } from '../../src/oauth/jwt.ts';
import { between, demand, type Target } from './target.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one' };
const keys = readKeys({ keys: [jwk] }) ?? [];
const issuer = 'https://login.example.com';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(claims: object): string {
  const signed = `${encode({ alg: 'EdDSA', kid: 'one' })}.${encode(claims)}`;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
}

const good = token({ iss: issuer, aud: 'mail', exp: 1e10, email: 'a@example.com', email_verified: true });

function readAsToken(input: Buffer): void {
  const text = input.toString('latin1');
  const read = readToken(text);
  if (typeof read === 'string') return;
  faultOf(read.claims, { issuer, audience: 'mail', now: 0 });
  addressIn(read.claims, { claim: 'email', scopes: ['mail'] });
  const isSigned = isSignedBy(read, keysFor(read, keys));
  // The signature of Ed25519 has one form, its base64 another in its last, unused bits.
  demand(!isSigned || text.slice(0, -1) === good.slice(0, -1), 'a token that was never signed is good');
}

export const jwt: Target = {
  name: 'jwt',
  seeds: () => [good, 'e30.e30.e30', `${good.slice(0, 60)}.e30.`].map((text) => Buffer.from(text)),
  read: readAsToken,
  places: [between(''), between('e30.', '.AAAA')],
  longestRunBytes: longestToken,
};

export const jwks: Target = {
  name: 'jwks',
  seeds: () =>
    [{ keys: [jwk] }, { keys: [] }, { keys: [{ kty: 'RSA', n: 'AQAB', e: 'AQAB' }, jwk] }].map((document) =>
      Buffer.from(JSON.stringify(document)),
    ),
  read(input) {
    try {
      readKeys(JSON.parse(input.toString('utf8')));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error; // what is no JSON never comes there
    }
  },
  places: [between('{"keys":[{"kty":"RSA","e":"AQAB","n":"', '"}]}')],
};
