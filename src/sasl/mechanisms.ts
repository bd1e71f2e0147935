/**
 * The SASL mechanisms that hand over a password: PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login-00, obsolete
 * but what several mail clients still choose). Whoever offers them sees to it that TLS protects the line. Knows no
 * accounts: what comes out are credentials, not yet believed.
 */

import type { Credentials, SaslExchange, SaslStep } from './exchange.ts';

/** The longest identity or password, in octets of UTF-8 (RFC 4616 §2: each of PLAIN's three parts up to 255). */
export const longestPartBytes = 255;

/** The longest line of base64 that can be right: three parts and two NULs. A reader of lines needs no more room. */
export const longestResponseChars = 4 * Math.ceil((3 * longestPartBytes + 2) / 3);

/**
 * Begins an exchange of the mechanism of that name (in any case), or returns undefined where there is none. The
 * exchange bears any line: it ends in credentials or an error, and never throws.
 */
export function startExchange(mechanism: string): SaslExchange | undefined {
  switch (mechanism.toUpperCase()) {
    case 'PLAIN':
      return exchange([''], plainCredentials);
    case 'LOGIN':
      return exchange(['Username:', 'Password:'], loginCredentials);
    default:
      return undefined;
  }
}

/** An exchange that asks for one response per prompt and makes credentials of the responses. */
function exchange(
  prompts: readonly string[],
  credentialsOf: (responses: readonly string[]) => Credentials | undefined,
): SaslExchange {
  const responses: string[] = [];
  let begun = false;
  let over = false;

  const finish = (step: SaslStep): SaslStep => {
    over = true;
    return step;
  };
  const challenge = (): SaslStep => ({
    kind: 'challenge',
    challenge: Buffer.from(prompts[responses.length] ?? '').toString('base64'),
  });

  return {
    step(line) {
      const isInitial = !begun;
      begun = true;
      if (over) return malformed('the exchange is over');
      if (line === undefined) return isInitial ? challenge() : finish(malformed('a response is missing'));
      if (line === '*')
        return finish({ kind: 'error', reason: 'cancelled', text: 'authentication cancelled' });
      // RFC 4954 §4, RFC 5034 §4: a lone `=` is how an *initial* response says that it is empty.
      const response = decodeResponse(isInitial && line === '=' ? '' : line);
      if (response === undefined)
        return finish(malformed('the response is not UTF-8 in base64, or too long'));
      responses.push(response);
      if (responses.length < prompts.length) return challenge();
      const credentials = credentialsOf(responses);
      return finish(
        credentials === undefined
          ? malformed('the response lacks a user or a password, or has one too many')
          : { kind: 'credentials', credentials },
      );
    },
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
function decodeResponse(line: string): string | undefined {
  if (line.length > longestResponseChars) return undefined;
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
