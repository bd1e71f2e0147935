/**
 * Who logs in, be it by SMTP AUTH or POP3: one rule for both. Nobody acts as somebody else; each wrong password of a
 * session waits longer for its answer, and few are borne (RFC 4954 §9); and a client has only so many checks under way,
 * each of them costly, so that one who guesses does not keep the others from their mail. Knows no protocol.
 */

import { addressKey, parseAddress } from '../mail/address.ts';
import type { Credentials } from '../sasl/exchange.ts';
import type { Authenticator } from '../store/passwords.ts';
import { type Clock, sleep } from '../util/clock.ts';
import type { Log } from '../util/log.ts';

export interface LoginParts {
  authenticate: Authenticator;
  clock: Clock;
  log: Log;
}

export type LoginOutcome =
  | { kind: 'welcome'; account: string }
  /** With `last`, the session has had its guesses and is to be ended. */
  | { kind: 'wrong'; last: boolean }
  /** Too many from this client are being checked: nothing was, and it may come again. */
  | { kind: 'busy' };

/** Decides the logins of one session. Rejects with the store's error. */
export type Login = (credentials: Credentials) => Promise<LoginOutcome>;

/** Wrong passwords in one session, before it is ended. */
export const maxLoginFailures = 3;
/** What a wrong password costs, in waiting for the answer; the second one costs twice, the third three times as much. */
export const loginFailureDelayMs = 1000;
/** Passwords of one client address that are checked or wait for it. */
export const maxPendingChecks = 32;

/** To be called once for a server, then for each session with its client's address. */
export function logins({ authenticate, clock, log }: LoginParts): (client: string) => Login {
  const enter = limitPerClient(maxPendingChecks);
  return (client) => {
    let failures = 0;
    return async (credentials) => {
      const leave = enter(client);
      if (!leave) return { kind: 'busy' };
      const account = await actAs(authenticate, credentials).finally(leave);
      if (account !== undefined) return { kind: 'welcome', account };
      failures++;
      log.warn({ client, user: credentials.user.slice(0, 100) }, 'authentication failed');
      await sleep(clock, loginFailureDelayMs * failures);
      return { kind: 'wrong', last: failures >= maxLoginFailures };
    };
  };
}

/** An authorization identity (RFC 4616 §2) must be the account itself, written in any way. */
async function actAs(
  authenticate: Authenticator,
  { authorizationId, user, password }: Credentials,
): Promise<string | undefined> {
  const account = await authenticate(user, password);
  if (authorizationId === '') return account;
  const identity = parseAddress(authorizationId);
  return identity && addressKey(identity) === account ? account : undefined;
}

/** Returns how to leave, or undefined where there is no room. */
function limitPerClient(limit: number): (client: string) => (() => void) | undefined {
  const inside = new Map<string, number>();
  return (client) => {
    const others = inside.get(client) ?? 0;
    if (others >= limit) return undefined;
    inside.set(client, others + 1);
    return () => {
      const left = (inside.get(client) ?? 1) - 1;
      if (left > 0) inside.set(client, left);
      else inside.delete(client);
    };
  };
}
