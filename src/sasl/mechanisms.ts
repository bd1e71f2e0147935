/**
 * The SASL mechanisms of a server, as far as their lines go. PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login-00,
 * obsolete but what several mail clients still choose) hand over a password: whoever offers them sees to it that TLS
 * protects the line. Of the others each message is handed on. Knows no accounts: what comes out is not yet believed.
 */

import type { Credentials, SaslExchange, SaslStep } from './exchange.ts';
import { encodeChallenge } from './exchange.ts';
import type { ChannelBinding } from './scram.ts';

/** The longest identity or password, in octets of UTF-8 (RFC 4616 §2: each of PLAIN's three parts up to 255). */
export const longestPartBytes = 255;

/** The longest line of base64 with a password that can be right: three parts and two NULs. */
export const longestPasswordChars = 4 * Math.ceil((3 * longestPartBytes + 2) / 3);

/** The longest line of base64 that is decoded: room for a token of 8 KiB. A reader of lines needs no more room. */
export const longestResponseChars = 12_284;

const plus = 'SCRAM-SHA-256-PLUS';

/** Those whose messages are handed on. In all of them the client speaks first. */
const handedOn: ReadonlySet<string> = new Set(['SCRAM-SHA-256', plus, 'OAUTHBEARER', 'XOAUTH2']);

/**
 * Of a server's mechanisms those that can be had over a connection: -PLUS only where there is something to bind to. What
 * binds is absent where -PLUS is not offered: who could have taken it is not to think that it was kept from him.
 */
export function offeredOver(
  mechanisms: readonly string[],
  binding: ChannelBinding | undefined,
): { mechanisms: readonly string[]; binding?: ChannelBinding } {
  if (!binding) return { mechanisms: mechanisms.filter((name) => name !== plus) };
  return mechanisms.includes(plus) ? { mechanisms, binding } : { mechanisms };
}

/** Whether a mechanism's challenges may help to guess a password, so that no dossier may hold them. */
export const hasSecretChallenges = (mechanism: string): boolean => handedOn.has(mechanism);

/**
 * Begins an exchange of the mechanism of that name (in any case), or returns undefined where there is none. The
 * exchange bears any line: it comes to claims or an error, and never throws.
 */
export function startExchange(mechanism: string, binding?: ChannelBinding): SaslExchange | undefined {
  const name = mechanism.toUpperCase();
  switch (name) {
    case 'PLAIN':
      return passwordExchange([''], plainCredentials);
    case 'LOGIN':
      return passwordExchange(['Username:', 'Password:'], loginCredentials);
    default:
      return handedOn.has(name) ? messageExchange(name, binding) : undefined;
  }
}

/** An exchange that asks for one response per prompt and makes credentials of the responses. */
function passwordExchange(
  prompts: readonly string[],
  credentialsOf: (responses: readonly string[]) => Credentials | undefined,
): SaslExchange {
  const responses: string[] = [];
  const read = responseReader(longestPasswordChars);
  let over = false;

  const finish = (step: SaslStep): SaslStep => {
    over = true;
    return step;
  };
  const challenge = (): SaslStep => ({
    kind: 'challenge',
    challenge: encodeChallenge(prompts[responses.length] ?? ''),
  });

  return {
    step(line) {
      if (over) return malformed('the exchange is over');
      const { response, fault } = read(line);
      if (fault) return finish(fault);
      if (response === undefined) return challenge();
      responses.push(response);
      if (responses.length < prompts.length) return challenge();
      const claim = credentialsOf(responses);
      return finish(
        claim === undefined
          ? malformed('the response lacks a user or a password, or has one too many')
          : { kind: 'claim', claim },
      );
    },
  };
}

/** An exchange that hands on each message, as long as it is answered with a challenge. */
function messageExchange(mechanism: string, binding: ChannelBinding | undefined): SaslExchange {
  const read = responseReader(longestResponseChars);
  let begins = true;
  return {
    step(line) {
      const { response, fault } = read(line);
      if (fault) return fault;
      if (response === undefined) return { kind: 'challenge', challenge: '' };
      const claim = { mechanism, message: response, begins, binding };
      begins = false;
      return { kind: 'claim', claim };
    },
  };
}

/** Reads the lines of one exchange, decoded; neither response nor fault where AUTH came without one. */
function responseReader(
  longestChars: number,
): (line: string | undefined) => { response?: string; fault?: SaslStep } {
  let begun = false;
  return (line) => {
    const isInitial = !begun;
    begun = true;
    if (line === undefined) return isInitial ? {} : { fault: malformed('a response is missing') };
    if (line === '*')
      return { fault: { kind: 'error', reason: 'cancelled', text: 'authentication cancelled' } };
    // RFC 4954 §4, RFC 5034 §4: a lone `=` is how an *initial* response says that it is empty.
    const response = decodeResponse(isInitial && line === '=' ? '' : line, longestChars);
    return response === undefined
      ? { fault: malformed('the response is not UTF-8 in base64, or too long') }
      : { response };
  };
}

const malformed = (text: string): SaslStep => ({ kind: 'error', reason: 'malformed', text });

/** `[authzid] NUL authcid NUL passwd` (RFC 4616 §2). */
function plainCredentials([message = '']: readonly string[]): Credentials | undefined {
  const [authorizationId, user, password, ...rest] = message.split('\0');
  if (authorizationId === undefined || user === undefined || password === undefined) return undefined;
  return rest.length === 0 ? checked({ authorizationId, user, password }) : undefined;
}

function loginCredentials([user = '', password = '']: readonly string[]): Credentials | undefined {
  return checked({ authorizationId: '', user, password });
}

/** Only the authorization identity may be empty; no part is too long or holds a NUL. */
function checked(credentials: Credentials): Credentials | undefined {
  const { authorizationId, user, password } = credentials;
  const fits = (part: string): boolean => Buffer.byteLength(part) <= longestPartBytes && !part.includes('\0');
  if (user === '' || password === '') return undefined;
  return [authorizationId, user, password].every(fits) ? credentials : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Canonical base64 (RFC 4648 §3.5, §4: padded, no strange characters, no stray bits) of valid UTF-8, or undefined. */
function decodeResponse(line: string, longestChars: number): string | undefined {
  if (line.length > longestChars) return undefined;
  const bytes = Buffer.from(line, 'base64');
  // Node skips what is not base64; only canonical text comes back as it was.
  if (bytes.toString('base64') !== line) return undefined;
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
