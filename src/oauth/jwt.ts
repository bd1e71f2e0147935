/**
 * A signed token (JWT, RFC 7519; JWS compact form, RFC 7515; RFC 8725): is it what it says, for us, and now? The algorithm is
 * that of the key, never of the token alone.
 */

import { verify as verifySignature } from 'node:crypto';
import type { Algorithm, VerificationKey } from './jwks.ts';

export type Claims = Readonly<Record<string, unknown>>;

export interface Expected {
  issuer: string;
  /** One of the token's. */
  audience: string;
  now: number;
}

/** A token that is read and not yet believed. */
export interface Token {
  algorithm: Algorithm;
  keyId: string | undefined;
  claims: Claims;
  signed: Buffer;
  signature: Buffer;
}

/** Characters of a token. */
export const longestToken = 8192;
/** Clocks differ. */
const leewayMs = 60_000;

const algorithms = new Set<string>(['RS256', 'ES256', 'EdDSA'] satisfies Algorithm[]);
const isAlgorithm = (name: unknown): name is Algorithm => typeof name === 'string' && algorithms.has(name);

/** The token, or what is wrong with it. */
export function readToken(text: string): Token | string {
  if (text.length > longestToken) return 'the token is too long';
  const [, head, body, signature] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(text) ?? [];
  const header = objectIn(head);
  const claims = objectIn(body);
  if (head === undefined || signature === undefined || !header || !claims) return 'the token is no JWT';
  if (!isAlgorithm(header.alg)) return 'the token is not signed by RS256, ES256 or EdDSA';
  if (header.crit !== undefined) return 'the token wants an extension that is not known here';
  return {
    algorithm: header.alg,
    keyId: typeof header.kid === 'string' ? header.kid : undefined,
    claims,
    signed: Buffer.from(`${head}.${body}`),
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** Those of an issuer's keys that may have signed it. */
export const keysFor = ({ algorithm, keyId }: Token, keys: readonly VerificationKey[]): VerificationKey[] =>
  keys.filter((key) => key.algorithm === algorithm && (keyId === undefined || key.id === keyId));

export function isSignedBy(
  { algorithm, signed, signature }: Token,
  keys: readonly VerificationKey[],
): boolean {
  const digest = algorithm === 'EdDSA' ? null : 'sha256';
  return keys.some(({ key }) =>
    // RFC 7518 §3.4: the two numbers one after the other, and no ASN.1.
    verifySignature(digest, signed, { key, dsaEncoding: 'ieee-p1363' }, signature),
  );
}

/** What is wrong with the claims (RFC 7519 §4.1), or undefined. */
export function faultOf(claims: Claims, { issuer, audience, now }: Expected): string | undefined {
  if (claims.iss !== issuer) return 'the token is of another issuer';
  if (![claims.aud].flat().includes(audience)) return 'the token is not for this server';
  return isExpired(claims, now) ?? (isEarly(claims, now) ? 'the token is not valid yet' : undefined);
}

/** One without an end is none that could be taken back. */
function isExpired({ exp }: Claims, now: number): string | undefined {
  if (typeof exp !== 'number') return 'the token has no end';
  return exp * 1000 + leewayMs <= now ? 'the token has expired' : undefined;
}

const isEarly = ({ nbf }: Claims, now: number): boolean =>
  nbf !== undefined && (typeof nbf !== 'number' || nbf * 1000 - leewayMs > now);

function objectIn(part: string | undefined): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'));
    // What stands under a claim's name is checked where it is used.
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Claims)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
