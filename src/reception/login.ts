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
import type { Conduct } from './abuse/conduct.ts';
import type { LoginPlaces } from './abuse/login-places.ts';

export interface LoginParts {
  authenticate: Authenticator;
  /** Tells who guesses at one account from many places; absent: nobody does. */
  places?: Pick<LoginPlaces, 'failed' | 'succeeded' | 'isBesieged'>;
  clock: Clock;
  log: Log;
}

export type LoginOutcome =
  | { kind: 'welcome'; account: string }
  /** With `last`, the session has had its guesses and is to be ended; `why` says more of that. */
  | { kind: 'wrong'; last: boolean; why?: string }
  /** Too many from this client are being checked, or `why`: nothing was, and it may come again. */
  | { kind: 'busy'; why?: string };

/** Decides the logins of one session. Rejects with the store's error. */
export type Login = (credentials: Credentials) => Promise<LoginOutcome>;

/** Wrong passwords in one session, before it is ended. */
export const maxLoginFailures = 3;
/** What a wrong password costs, in waiting for the answer; the second one costs twice, the third three times as much. */
export const loginFailureDelayMs = 1000;
/** Passwords of one client address that are checked or wait for it. */
export const maxPendingChecks = 32;

/** To be called once for a server, then for each session with its client's address, and what is counted of it. */
export function logins({
  authenticate,
  places,
  clock,
  log,
}: LoginParts): (client: string, conduct?: Conduct) => Login {
  const enter = limitPerClient(maxPendingChecks);
  return (client, conduct) => {
    let failures = 0;
    const wrong = async ({ user, password }: Credentials): Promise<LoginOutcome> => {
      failures++;
      log.warn({ client, user: user.slice(0, 100) }, 'authentication failed');
      const leastMs = loginFailureDelayMs * failures;
      const found = await (conduct?.failedLogin({ user, password, leastMs }) ?? sleep(clock, leastMs));
      if (found && !found.isRepeated) places?.failed(user);
      const why = found?.leave;
      return { kind: 'wrong', last: failures >= maxLoginFailures || why !== undefined, ...(why && { why }) };
    };
    return async (credentials) => {
      const banned = conduct?.leave();
      if (banned !== undefined) return { kind: 'wrong', last: true, why: banned };
      if (conduct && (await places?.isBesieged(credentials.user, client)))
        return { kind: 'busy', why: besieged };
      const leave = enter(client);
      if (!leave) return { kind: 'busy' };
      const account = await actAs(authenticate, credentials).finally(leave);
      if (account === undefined) return wrong(credentials);
      if (conduct) places?.succeeded(account, client);
      return { kind: 'welcome', account };
    };
  };
}

const besieged =
  'Too many failed logins for this account; try again in an hour, or from where you have logged in before';

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
