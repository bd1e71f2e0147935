/**
 * What an ACME account signs, or the key of a certificate that is to be revoked: JSON Web Signatures with ES256, and RS256 for such
 * a key (RFC 8555 §6.2, RFC 7515, RFC 7518). Knows no network.
 */

import { createHash, createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto';

export interface Jws {
  protected: string;
  payload: string;
  signature: string;
}

/** Of an ECDSA P-256 key, its members in the order that a thumbprint wants (RFC 7638 §3). */
export interface Jwk {
  crv: string;
  kty: 'EC';
  x: string;
  y: string;
}

export function jwkOf(key: KeyObject): Jwk {
  const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' });
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined)
    throw new Error('an account key must be ECDSA P-256');
  return { crv, kty, x, y };
}

function rsaJwkOf(key: KeyObject): { e: string; kty: 'RSA'; n: string } {
  const { e = '', n = '' } = createPublicKey(key).export({ format: 'jwk' });
  return { e, kty: 'RSA', n };
}

/** RFC 7638. */
export const thumbprint = (key: KeyObject): string =>
  createHash('sha256')
    .update(JSON.stringify(jwkOf(key)))
    .digest('base64url');

/** RFC 8555 §8.1. */
export const keyAuthorization = (token: string, key: KeyObject): string => `${token}.${thumbprint(key)}`;

export interface Signing {
  key: KeyObject;
  /** The account's URL; absent where there is none yet: then the key goes along. */
  account?: string | undefined;
  url: string;
  nonce: string;
}

/** `payload` undefined is POST-as-GET (RFC 8555 §6.3). */
export function signed(payload: unknown, { key, account, url, nonce }: Signing): Jws {
  const isRsa = key.asymmetricKeyType === 'rsa';
  const who = account === undefined ? { jwk: isRsa ? rsaJwkOf(key) : jwkOf(key) } : { kid: account };
  const head = encoded({ alg: isRsa ? 'RS256' : 'ES256', ...who, nonce, url });
  const body = payload === undefined ? '' : encoded(payload);
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' });
  return { protected: head, payload: body, signature: signature.toString('base64url') };
}

/** Ties an account to one that the authority has by other ways (RFC 8555 §7.3.4). `hmacKey` is base64url. */
export function externalBinding(
  accountKey: KeyObject,
  { keyId, hmacKey, url }: { keyId: string; hmacKey: string; url: string },
): Jws {
  const head = encoded({ alg: 'HS256', kid: keyId, url });
  const body = encoded(jwkOf(accountKey));
  const hmac = createHmac('sha256', Buffer.from(hmacKey, 'base64url')).update(`${head}.${body}`);
  return { protected: head, payload: body, signature: hmac.digest('base64url') };
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
