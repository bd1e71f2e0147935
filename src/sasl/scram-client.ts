/**
 * The client of SCRAM-SHA-256 (RFC 5802, RFC 7677): the password is proven and never sent, and the server must prove that
 * it knows it too. Without channel binding. Knows no SMTP: messages in, messages out.
 */

import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { prepare } from './prepare.ts';

/** What a server says is not what the mechanism allows, or proves that it does not know the password. */
export class MalformedChallengeError extends Error {
  override readonly name = 'MalformedChallengeError';
}

/** RFC 7677 §4: fewer make a stolen password file easy to crack, and a server that asks for fewer suspect. */
export const leastIterations = 4096;
/** A server could keep us busy with more. */
export const mostIterations = 1_000_000;
/** Characters of a challenge. */
const longestChallenge = 4096;

const hashBytes = 32;
const derive = promisify(pbkdf2);
/** The GS2 header `n,,`: no channel binding, no other identity to act as (RFC 5802 §7). */
const gs2Header = 'n,,';

interface Scram {
  readonly mechanism: 'SCRAM-SHA-256';
  readonly initialResponse: string;
  readonly isComplete: boolean;
  respond(challenge: string): Promise<string>;
}

/** `nonce` is printable ASCII without a comma, and new for each exchange. */
export function scramSha256({ user, password }: { user: string; password: string }, nonce: string): Scram {
  const firstBare = `n=${escapeName(prepare(user))},r=${nonce}`;
  let expected: Buffer | undefined;
  let isComplete = false;

  async function proof(serverFirst: string): Promise<string> {
    const { nonce: combined, salt, iterations } = readServerFirst(serverFirst, nonce);
    const salted = await derive(prepare(password), salt, iterations, hashBytes, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const withoutProof = `c=${Buffer.from(gs2Header).toString('base64')},r=${combined}`;
    const authMessage = `${firstBare},${serverFirst},${withoutProof}`;
    expected = hmac(hmac(salted, 'Server Key'), authMessage);
    const signature = hmac(createHash('sha256').update(clientKey).digest(), authMessage);
    return `${withoutProof},p=${xor(clientKey, signature).toString('base64')}`;
  }

  function verify(serverFinal: string, signature: Buffer): string {
    const { v: verifier, e: error } = attributesOf(serverFinal);
    if (error !== undefined) throw new MalformedChallengeError(`the server says: ${printable(error)}`);
    const given = Buffer.from(verifier ?? '', 'base64');
    if (given.length !== signature.length || !timingSafeEqual(given, signature))
      throw new MalformedChallengeError('the server did not prove that it knows the password');
    isComplete = true;
    return '';
  }

  return {
    mechanism: 'SCRAM-SHA-256',
    initialResponse: `${gs2Header}${firstBare}`,
    get isComplete() {
      return isComplete;
    },
    async respond(challenge) {
      if (challenge.length > longestChallenge) throw new MalformedChallengeError('the challenge is too long');
      if (isComplete) throw new MalformedChallengeError('the server goes on after the end');
      return expected === undefined ? proof(challenge) : verify(challenge, expected);
    },
  };
}

/** `r=…,s=…,i=…`; a mandatory extension (`m=`) is one that we do not know (RFC 5802 §5.1). */
function readServerFirst(message: string, ours: string): { nonce: string; salt: Buffer; iterations: number } {
  const { m, r: nonce = '', s: salt = '', i = '' } = attributesOf(message);
  if (m !== undefined) throw new MalformedChallengeError('the server wants an extension that we do not know');
  // A nonce without a part of the server's own could be one that it has seen before.
  if (!nonce.startsWith(ours) || nonce.length === ours.length)
    throw new MalformedChallengeError('the nonce is not made of ours');
  const bytes = Buffer.from(salt, 'base64');
  if (bytes.length === 0) throw new MalformedChallengeError('there is no salt');
  const iterations = /^[1-9]\d{0,8}$/.test(i) ? Number(i) : 0;
  if (iterations < leastIterations || iterations > mostIterations)
    throw new MalformedChallengeError(
      `the server asks for ${printable(i) || 'no'} iterations; ${leastIterations} to ${mostIterations} are in order`,
    );
  return { nonce, salt: bytes, iterations };
}

/** Each attribute is one letter, `=` and a value without commas; the first of a name counts. */
function attributesOf(message: string): { [name: string]: string | undefined } {
  const found: { [name: string]: string | undefined } = Object.create(null);
  for (const attribute of message.split(',')) {
    const [, name, value] = /^([A-Za-z])=(.*)$/s.exec(attribute) ?? [];
    if (name === undefined) throw new MalformedChallengeError('the challenge is not of this mechanism');
    found[name] ??= value;
  }
  return found;
}

/** RFC 5802 §5.1: `=` and `,` mean something. */
const escapeName = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C');

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

const xor = (one: Buffer, other: Buffer): Buffer =>
  Buffer.from(one.map((octet, index) => octet ^ (other[index] ?? 0)));

const printable = (text: string): string => text.slice(0, 60).replace(/[^\x20-\x7e]/g, '?');
