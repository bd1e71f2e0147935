/**
 * The client of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): the password is proven and never sent, and the
 * server must prove that it knows it too; with -PLUS both prove that nobody sits between them. Knows no SMTP: messages in,
 * messages out.
 */

import { timingSafeEqual } from 'node:crypto';
import { prepare } from './prepare.ts';
import {
  attributesOf,
  type ChannelBinding,
  escapeName,
  hash,
  hmac,
  keysOf,
  leastIterations,
  longestMessage,
  type ScramMechanism,
  xor,
} from './scram.ts';

/** What a server says is not what the mechanism allows, or proves that it does not know the password. */
export class MalformedChallengeError extends Error {
  override readonly name = 'MalformedChallengeError';
}

/** A server could keep us busy with more. One that asks for fewer than `leastIterations` is suspect. */
export const mostIterations = 1_000_000;

interface Scram {
  readonly mechanism: ScramMechanism;
  readonly initialResponse: string;
  readonly isComplete: boolean;
  respond(challenge: string): Promise<string>;
}

/** What the exchange says of the connection that it is held over. */
interface Channel {
  mechanism: ScramMechanism;
  /** RFC 5802 §7: `n`: not asked of us; `y`: we could, and the server says that it cannot; `p=`: here it is. */
  flag: string;
  bound: Buffer;
}

/** Asks a server for the one type of binding that TLS 1.3 has for everybody (RFC 9266): others it may not know. */
const bindingType = 'tls-exporter';

export const canBind = (binding: ChannelBinding | undefined): boolean => binding?.(bindingType) !== undefined;

/** `mechanism` is the strongest that the server offers: where it is not -PLUS, the server has none. */
export function channelOf(mechanism: ScramMechanism, binding: ChannelBinding | undefined): Channel {
  const bound = binding?.(bindingType);
  if (bound === undefined) return unbound;
  return mechanism === 'SCRAM-SHA-256-PLUS'
    ? { mechanism, flag: `p=${bindingType}`, bound }
    : { ...unbound, flag: 'y' };
}

const unbound: Channel = { mechanism: 'SCRAM-SHA-256', flag: 'n', bound: Buffer.alloc(0) };

/** `nonce` is printable ASCII without a comma, and new for each exchange. */
export function scramSha256(
  { user, password }: { user: string; password: string },
  nonce: string,
  { mechanism, flag, bound }: Channel = unbound,
): Scram {
  const gs2Header = `${flag},,`; // no other identity to act as
  const firstBare = `n=${escapeName(prepare(user))},r=${nonce}`;
  let expected: Buffer | undefined;
  let isComplete = false;

  async function proof(serverFirst: string): Promise<string> {
    const { nonce: combined, salt, iterations } = readServerFirst(serverFirst, nonce);
    const { clientKey, serverKey } = await keysOf(password, salt, iterations);
    const channel = Buffer.concat([Buffer.from(gs2Header), bound]).toString('base64');
    const withoutProof = `c=${channel},r=${combined}`;
    const authMessage = `${firstBare},${serverFirst},${withoutProof}`;
    expected = hmac(serverKey, authMessage);
    const signature = hmac(hash(clientKey), authMessage);
    return `${withoutProof},p=${xor(clientKey, signature).toString('base64')}`;
  }

  function verify(serverFinal: string, signature: Buffer): string {
    const { v: verifier, e: error } = read(serverFinal);
    if (error !== undefined) throw new MalformedChallengeError(`the server says: ${printable(error)}`);
    const given = Buffer.from(verifier ?? '', 'base64');
    if (given.length !== signature.length || !timingSafeEqual(given, signature))
      throw new MalformedChallengeError('the server did not prove that it knows the password');
    isComplete = true;
    return '';
  }

  return {
    mechanism,
    initialResponse: `${gs2Header}${firstBare}`,
    get isComplete() {
      return isComplete;
    },
    async respond(challenge) {
      if (challenge.length > longestMessage) throw new MalformedChallengeError('the challenge is too long');
      if (isComplete) throw new MalformedChallengeError('the server goes on after the end');
      return expected === undefined ? proof(challenge) : verify(challenge, expected);
    },
  };
}

/** `r=…,s=…,i=…`; a mandatory extension (`m=`) is one that we do not know (RFC 5802 §5.1). */
function readServerFirst(message: string, ours: string): { nonce: string; salt: Buffer; iterations: number } {
  const { m, r: nonce = '', s: salt = '', i = '' } = read(message);
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

function read(message: string): { [name: string]: string | undefined } {
  const found = attributesOf(message);
  if (found === undefined) throw new MalformedChallengeError('the challenge is not of this mechanism');
  return found;
}

const printable = (text: string): string => text.slice(0, 60).replace(/[^\x20-\x7e]/g, '?');
