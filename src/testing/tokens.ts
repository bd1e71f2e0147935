/** An issuer of tokens for tests: keys of every kind, and tokens signed by them. */

import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export const issuer = 'https://login.example.com/realms/mail';

const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};

export type SigningAlgorithm = keyof typeof pairs;

const jwk = (id: string, key: KeyObject) => ({ ...key.export({ format: 'jwk' }), kid: id, use: 'sig' });

/** What the issuer publishes. */
export const keySet = () => ({
  keys: Object.entries(pairs).map(([name, { publicKey }]) => jwk(name, publicKey)),
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token as it should be; what is in `claims` or `header` takes the place of what it would have. */
export function tokenOf(
  claims: Record<string, unknown>,
  {
    algorithm = 'ES256',
    header = {},
  }: { algorithm?: SigningAlgorithm; header?: Record<string, unknown> } = {},
): string {
  const signed = `${encode({ alg: algorithm, kid: algorithm, ...header })}.${encode(claims)}`;
  const digest = algorithm === 'EdDSA' ? null : 'sha256';
  const key = pairs[algorithm].privateKey;
  const signature = sign(digest, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** Signed by what everybody knows: the published key, as if it were a secret. */
export function hmacToken(claims: Record<string, unknown>): string {
  const signed = `${encode({ alg: 'HS256', kid: 'RS256' })}.${encode(claims)}`;
  const secret = pairs.RS256.publicKey.export({ type: 'spki', format: 'pem' });
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export const unsignedToken = (claims: Record<string, unknown>): string =>
  `${encode({ alg: 'none' })}.${encode(claims)}.`;
