/** The keys that an issuer publishes (RFC 7517; RFC 7518, RFC 8037): those that can verify a token, and no others. */

import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** Of ours; what is weak (`none`, HS256 with a key that everybody knows) is no algorithm here. */
export type Algorithm = 'RS256' | 'ES256' | 'EdDSA';

export interface VerificationKey {
  /** Names it in a token's header; some issuers have one key only, without a name. */
  id: string | undefined;
  algorithm: Algorithm;
  key: KeyObject;
}

/** Keys of one issuer that are looked at. */
export const maxKeys = 50;
/** RFC 7518 §3.3. */
const leastRsaBits = 2048;
/** Characters of the numbers of a key, as 8192 bits have them: more would cost the square of them. */
const longestNumber = 1400;
/** … and of an RSA key's exponent: nobody has a longer one than AQAB. */
const longestExponent = 8;

/** What is no key, or none for us, is left out. Undefined for what is no set of keys. */
export function readKeys(document: unknown): VerificationKey[] | undefined {
  const keys = typeof document === 'object' && document !== null && 'keys' in document ? document.keys : null;
  if (!Array.isArray(keys)) return undefined;
  return keys.slice(0, maxKeys).flatMap((jwk) => readKey(jwk) ?? []);
}

function readKey(jwk: unknown): VerificationKey | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined;
  const { kid, use, alg, d } = jwk as Record<string, unknown>; // an object: each of its members is looked at below
  if ((use !== undefined && use !== 'sig') || d !== undefined || !isShort(jwk)) return undefined;
  const key = keyOf(jwk);
  const algorithm = key && algorithmOf(key);
  if (key === undefined || algorithm === undefined || (alg !== undefined && alg !== algorithm))
    return undefined;
  return { id: typeof kid === 'string' ? kid : undefined, algorithm, key };
}

const isShort = (jwk: object): boolean =>
  Object.entries(jwk).every(
    ([name, value]) =>
      typeof value !== 'string' || value.length <= (name === 'e' ? longestExponent : longestNumber),
  );

function keyOf(jwk: object): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }); // what is none makes it throw
  } catch {
    return undefined; // a key of a kind that we do not know, or none at all: others may serve
  }
}

function algorithmOf({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details,
}: KeyObject): Algorithm | undefined {
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= leastRsaBits ? 'RS256' : undefined;
  if (type === 'ec') return details?.namedCurve === 'prime256v1' ? 'ES256' : undefined;
  return type === 'ed25519' ? 'EdDSA' : undefined;
}
