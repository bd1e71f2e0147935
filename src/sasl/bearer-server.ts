/**
 * The server of OAUTHBEARER (RFC 7628) and of XOAUTH2 (Google's, from before it): the client shows a token that somebody
 * else has issued. Whether it is good is asked of the caller. Messages in, steps out; no I/O.
 */

import type { MechanismServer, MechanismStep } from './exchange.ts';
import { unescapeName } from './scram.ts';

export type BearerMechanism = 'OAUTHBEARER' | 'XOAUTH2';

/** What is known of a token. */
export type TokenVerdict =
  /** It is good, and `user` is whose it is. */
  | { kind: 'valid'; user: string }
  | { kind: 'invalid'; status: 'invalid_token' | 'insufficient_scope'; reason: string }
  /** It cannot be found out now. */
  | { kind: 'unavailable'; reason: string };

export interface BearerParts {
  check(token: string): Promise<TokenVerdict>;
  /** What a client is told whose token is not good (RFC 7628 §3.2.2). */
  hint: { scope?: string; 'openid-configuration': string };
}

const separator = '\x01';

export function bearerServer(mechanism: BearerMechanism, { check, hint }: BearerParts): MechanismServer {
  let refused: MechanismStep | undefined;
  return {
    async respond(message) {
      if (refused) return refused; // whatever the client says to the error, it has failed (RFC 7628 §3.2.3)
      const shown = mechanism === 'OAUTHBEARER' ? readBearer(message) : readXoauth2(message);
      if (shown === undefined) return { kind: 'malformed', text: 'the message is not of this mechanism' };
      const { user, token } = shown;
      const verdict = await check(token);
      if (verdict.kind === 'unavailable') return { kind: 'unavailable', text: verdict.reason };
      if (verdict.kind === 'valid') return { kind: 'proven', user: verdict.user, authorizationId: user };
      refused = { kind: 'wrong', user };
      return { kind: 'challenge', text: errorText(mechanism, verdict.status, hint), user, hasFailed: true };
    },
  };
}

/** XOAUTH2 speaks of it in the words of HTTP. */
function errorText(mechanism: BearerMechanism, status: string, hint: BearerParts['hint']): string {
  return JSON.stringify(
    mechanism === 'OAUTHBEARER'
      ? { status, ...hint }
      : { status: status === 'invalid_token' ? '401' : '403', schemes: 'bearer', scope: hint.scope ?? '' },
  );
}

/** `n,a=user,^Ahost=…^Aport=…^Aauth=Bearer …^A^A` (RFC 7628 §3.1). Host and port tell us nothing. */
function readBearer(message: string): { user: string; token: string } | undefined {
  const [header = '', ...pairs] = message.split(separator);
  const found = /^[ny],(?:a=([^,]*))?,$/.exec(header);
  const user = found ? unescapeName(found[1] ?? '') : undefined;
  const token = tokenIn(pairs);
  return user === undefined || token === undefined ? undefined : { user, token };
}

/** `user=…^Aauth=Bearer …^A^A`. */
function readXoauth2(message: string): { user: string; token: string } | undefined {
  const [header = '', ...pairs] = message.split(separator);
  const [, user] = /^user=(.+)$/s.exec(header) ?? [];
  const token = tokenIn(pairs);
  return user === undefined || token === undefined ? undefined : { user, token };
}

/** Each pair ends with a separator, and one more comes at the end. */
function tokenIn(pairs: readonly string[]): string | undefined {
  if (pairs.at(-1) !== '' || pairs.at(-2) !== '') return undefined;
  const auth = pairs.filter((pair) => pair.startsWith('auth='));
  // RFC 6750 §2.1.
  return auth.length === 1 ? /^auth=bearer +([\w.~+/-]+=*)$/i.exec(auth[0] ?? '')?.[1] : undefined;
}
