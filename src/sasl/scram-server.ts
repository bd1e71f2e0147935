/**
 * The server of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): the client proves that it knows the password,
 * we prove that we know its keys, and with -PLUS both that nobody sits between them. Whose keys they are is asked of the
 * caller, who has some for everybody: who is unknown here is not told apart. Messages in, steps out; no I/O.
 */

import { timingSafeEqual } from 'node:crypto';
import type { MechanismServer, MechanismStep } from './exchange.ts';
import {
  attributesOf,
  type ChannelBinding,
  hash,
  hmac,
  longestMessage,
  newNonce,
  type ScramKeys,
  type ScramMechanism,
  unescapeName,
  xor,
} from './scram.ts';

/** What a proof may be made with: those of the password, and those of others that do as well. */
export type AllKeys = ScramKeys & { others?: readonly OtherKeys[] };

/** Of one of several passwords; salt and iterations are the same for all. */
export interface OtherKeys extends Pick<ScramKeys, 'storedKey' | 'serverKey'> {
  name: string;
}

export interface ScramServerParts {
  /** Of whoever says that this is its name; pretended ones where there are none. */
  keysOf(user: string): Promise<AllKeys>;
  /** -PLUS is offered on this connection. */
  binding?: ChannelBinding | undefined;
  nonce?: () => string;
}

/** Characters of a client's nonce: more than anybody needs. */
const longestNonce = 256;
/** Octets of a name, as of PLAIN's. */
const longestName = 255;

/** What the client's first message says (RFC 5802 §7). */
interface First {
  gs2Header: string;
  bare: string;
  user: string;
  authorizationId: string;
  nonce: string;
  /** What the client's last message must repeat to prove the connection; empty without -PLUS. */
  bound: Buffer;
}

export function scramServer(mechanism: ScramMechanism, parts: ScramServerParts): MechanismServer {
  let respond: (message: string) => Promise<MechanismStep> = begin;

  async function begin(message: string): Promise<MechanismStep> {
    const first = readFirst(message, mechanism, parts.binding);
    if ('kind' in first) return first;
    const keys = await parts.keysOf(first.user);
    const nonce = first.nonce + (parts.nonce ?? newNonce)();
    const challenge = `r=${nonce},s=${keys.salt},i=${keys.iterations}`;
    respond = async (last) => {
      const { proven, step } = verify(last, { first, nonce, challenge, keys });
      respond = proven ? (end) => confirm(end, first, proven) : over;
      return step;
    };
    return { kind: 'challenge', text: challenge, user: first.user };
  }

  /** SMTP and POP3 have no room for our proof in their last word: it is a challenge, and the answer to it is empty. */
  async function confirm(
    message: string,
    { user, authorizationId }: First,
    { name }: Proven,
  ): Promise<MechanismStep> {
    respond = over;
    return message === ''
      ? { kind: 'proven', user, authorizationId, ...(name !== undefined && { appPassword: name }) }
      : malformed('the last response of this mechanism is empty');
  }

  return {
    respond: (message) => (message.length > longestMessage ? over() : respond(message)),
  };
}

const over = async (): Promise<MechanismStep> =>
  malformed('the exchange is over, or the message is too long');

function readFirst(
  message: string,
  mechanism: ScramMechanism,
  binding: ChannelBinding | undefined,
): First | Extract<MechanismStep, { kind: 'wrong' | 'malformed' }> {
  const [, gs2Header = '', flag = '', identity = '', bare = ''] =
    /^((p=[A-Za-z0-9.-]+|[ny]),(a=[^,]*)?,)(.*)$/s.exec(message) ?? [];
  const { m, n: name, r: nonce = '' } = attributesOf(bare) ?? {};
  const user = unescapeName(name ?? '');
  const authorizationId = unescapeName(identity.slice(2));
  if (m !== undefined) return malformed('an extension is wanted that is not known here');
  if (!user || authorizationId === undefined || !bare.startsWith('n='))
    return malformed('the first message lacks a user, or is not of this mechanism');
  if (Buffer.byteLength(user) > longestName || Buffer.byteLength(authorizationId) > longestName)
    return malformed('the name is too long');
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(nonce) || nonce.length > longestNonce)
    return malformed('the nonce is missing, too long, or not printable');
  if (flag.startsWith('p=') !== (mechanism === 'SCRAM-SHA-256-PLUS'))
    return malformed('channel binding goes with -PLUS, and -PLUS with channel binding');
  // It would have taken -PLUS, and was told that there is none: not by us (RFC 5802 §6).
  if (flag === 'y' && binding !== undefined) return { kind: 'wrong', user };
  const bound = flag.startsWith('p=') ? binding?.(flag.slice(2)) : Buffer.alloc(0);
  if (bound === undefined) return malformed('this type of channel binding is not to be had here');
  return { gs2Header, bare, user, authorizationId, nonce, bound };
}

interface Challenged {
  first: First;
  nonce: string;
  challenge: string;
  keys: AllKeys;
}

/** The keys that a proof was made with. */
type Proven = Pick<ScramKeys, 'storedKey' | 'serverKey'> & { name?: string };

function verify(
  message: string,
  { first, nonce, challenge, keys }: Challenged,
): { step: MechanismStep; proven?: Proven } {
  const [, withoutProof = '', proof = ''] = /^(c=.*),p=([^,]+)$/s.exec(message) ?? [];
  const { c: channel, r: repeated } = attributesOf(withoutProof) ?? {};
  const { user } = first;
  if (channel === undefined || repeated === undefined)
    return { step: malformed('the last message lacks its parts, or is not of this mechanism') };
  const bound = Buffer.concat([Buffer.from(first.gs2Header), first.bound]);
  if (repeated !== nonce || channel !== bound.toString('base64')) return { step: { kind: 'wrong', user } };
  const authMessage = `${first.bare},${challenge},${withoutProof}`;
  const given = Buffer.from(proof, 'base64');
  const all: readonly Proven[] = [keys, ...(keys.others ?? [])];
  // Each is tried, whichever it is: the time tells only how many there are.
  const [proven] = all.filter(({ storedKey }) =>
    isProof(given, Buffer.from(storedKey, 'base64'), authMessage),
  );
  if (proven === undefined) return { step: { kind: 'wrong', user } };
  const signature = hmac(Buffer.from(proven.serverKey, 'base64'), authMessage);
  return { step: { kind: 'challenge', text: `v=${signature.toString('base64')}` }, proven };
}

/** The client's key comes out of its proof, and was hashed to make what is stored (RFC 5802 §3). */
function isProof(given: Buffer, storedKey: Buffer, authMessage: string): boolean {
  const clientKey = xor(given, hmac(storedKey, authMessage));
  return given.length === storedKey.length && timingSafeEqual(hash(clientKey), storedKey);
}

const malformed = (text: string): { kind: 'malformed'; text: string } => ({ kind: 'malformed', text });
