/**
 * Who logs in, be it by SMTP AUTH or POP3: one rule for both. Nobody acts as somebody else; each wrong password of a
 * session waits longer for its answer, and few are borne (RFC 4954 §9); and a client has only so many checks under way,
 * each of them costly, so that one who guesses does not keep the others from their mail. Knows no protocol.
 */

import { addressKey, parseAddress } from '../mail/address.ts';
import type {
  Claim,
  Credentials,
  MechanismMessage,
  MechanismServer,
  MechanismStep,
  Service,
  StartMechanism,
} from '../sasl/exchange.ts';
import type { Authenticator } from '../store/passwords.ts';
import { type Clock, sleep } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Conduct } from './abuse/conduct.ts';
import type { LoginPlaces } from './abuse/login-places.ts';

export interface LoginParts {
  authenticate: Authenticator;
  /** Tells who guesses at one account from many places; absent: nobody does. */
  places?: Pick<LoginPlaces, 'failed' | 'succeeded' | 'isBesieged'>;
  /** Those that do not hand over a password, by name. */
  mechanisms?: ReadonlyMap<string, StartMechanism>;
  /** Nobody logs in to this account now, whatever he knows. */
  isSuspended?(account: string): Promise<boolean>;
  /** Told of each login by an app password. */
  onAppPassword?(account: string, name: string): void;
  /** Told how each ended. */
  onLogin?: ((outcome: Exclude<LoginOutcome['kind'], 'challenge'>) => void) | undefined;
  clock: Clock;
  log: Log;
}

export type LoginOutcome =
  | { kind: 'welcome'; account: string; appPassword?: string }
  /** It is who it says, and may not come in. */
  | { kind: 'suspended' }
  /** The client is to answer this. */
  | { kind: 'challenge'; text: string }
  /** With `last`, the session has had its guesses and is to be ended; `why` says more of that. */
  | { kind: 'wrong'; last: boolean; why?: string }
  /** What the client said is not of the mechanism: nothing was guessed. */
  | { kind: 'malformed'; text: string }
  /** Too many from this client are being checked, or `why`: nothing was, and it may come again. */
  | { kind: 'busy'; why?: string };

/** Decides the logins of one session. Rejects with the store's error. */
export type Login = (claim: Claim) => Promise<LoginOutcome>;

/** Wrong passwords in one session, before it is ended. */
export const maxLoginFailures = 3;
/** What a wrong password costs, in waiting for the answer; the second one costs twice, the third three times as much. */
export const loginFailureDelayMs = 1000;
/** Passwords of one client address that are checked or wait for it. */
export const maxPendingChecks = 32;

/** To be called once for a server, then for each session with its client's address, and what is counted of it. */
export function logins({
  authenticate,
  mechanisms = new Map(),
  places,
  isSuspended,
  onAppPassword,
  onLogin,
  clock,
  log,
}: LoginParts): (client: string, conduct?: Conduct, service?: Service) => Login {
  const enter = limitPerClient(maxPendingChecks);
  return (client, conduct, service = 'submission') => {
    const respond = responder(mechanisms, service);
    let failures = 0;
    const wrong = async (user: string, guess: string): Promise<LoginOutcome & { kind: 'wrong' }> => {
      failures++;
      log.warn({ client, user: user.slice(0, 100) }, 'authentication failed');
      const leastMs = loginFailureDelayMs * failures;
      const found = await (conduct?.failedLogin({ user, password: guess, leastMs }) ?? sleep(clock, leastMs));
      if (found && !found.isRepeated) places?.failed(user);
      const why = found?.leave;
      return { kind: 'wrong', last: failures >= maxLoginFailures || why !== undefined, ...(why && { why }) };
    };
    /** What a failure came to that the exchange under way has told of already. */
    let counted: (LoginOutcome & { kind: 'wrong' }) | undefined;
    const isBesieged = async (user: string) => conduct && (await places?.isBesieged(user, client));
    const decide: Login = async (claim) => {
      const banned = conduct?.leave();
      if (banned !== undefined) return { kind: 'wrong', last: true, why: banned };
      const isPassword = 'password' in claim;
      if (isPassword || claim.begins) counted = undefined;
      if (isPassword && (await isBesieged(claim.user))) return { kind: 'busy', why: besieged };
      const leave = enter(client);
      if (!leave) return { kind: 'busy' };
      const check = isPassword ? checkPassword(authenticate, claim, service) : respond(claim);
      const step = await check.finally(leave);
      if (step.kind === 'malformed') return step;
      if (step.kind === 'challenge' && step.hasFailed) {
        // Now, for who cancels the exchange would try one after the other.
        const failure = await wrong(step.user ?? '', isPassword ? '' : claim.message);
        counted = failure;
        return failure.last ? failure : { kind: 'challenge', text: step.text };
      }
      if (step.kind === 'challenge') {
        // Before the proof: to a right one the answer is another challenge, which a wrong one never gets.
        if (step.user !== undefined && (await isBesieged(step.user))) return { kind: 'busy', why: besieged };
        return { kind: 'challenge', text: step.text };
      }
      if (step.kind === 'unavailable') return { kind: 'busy', why: step.text };
      // Only now it is known who that would be; whether the proof was good is not told.
      if (!isPassword && (await isBesieged(step.user))) return { kind: 'busy', why: besieged };
      const account = accountOf(step);
      if (account === undefined && counted) return counted;
      if (account === undefined) return wrong(step.user, isPassword ? claim.password : claim.message);
      if (await isSuspended?.(account)) return { kind: 'suspended' };
      if (conduct) places?.succeeded(account, client);
      const { appPassword } = step.kind === 'proven' ? step : {};
      if (appPassword === undefined) return { kind: 'welcome', account };
      onAppPassword?.(account, appPassword);
      return { kind: 'welcome', account, appPassword };
    };
    return async (claim) => {
      const outcome = await decide(claim);
      if (outcome.kind !== 'challenge') onLogin?.(outcome.kind);
      return outcome;
    };
  };
}

/** For who has proven that it is theirs. */
export const suspendedText = 'This account is suspended';

const besieged =
  'Too many failed logins for this account; try again in an hour, or from where you have logged in before';

async function checkPassword(
  authenticate: Authenticator,
  { authorizationId, user, password }: Credentials,
  service: Service,
): Promise<MechanismStep> {
  const found = await authenticate(user, password, service);
  if (found === undefined) return { kind: 'wrong', user };
  const { account, appPassword } = found;
  return {
    kind: 'proven',
    user: account,
    authorizationId,
    ...(appPassword !== undefined && { appPassword }),
  };
}

/** Keeps the exchange of a session that is under way: one at a time. */
function responder(mechanisms: ReadonlyMap<string, StartMechanism>, service: Service) {
  let exchange: MechanismServer | undefined;
  return async ({ mechanism, message, begins, binding }: MechanismMessage): Promise<MechanismStep> => {
    if (begins) exchange = mechanisms.get(mechanism)?.(binding, service);
    const step = await exchange?.respond(message);
    if (step?.kind !== 'challenge') exchange = undefined;
    return step ?? { kind: 'malformed', text: 'the exchange is over' };
  };
}

/** An authorization identity (RFC 4616 §2) must be the account itself, written in any way. */
function accountOf(step: Extract<MechanismStep, { kind: 'proven' | 'wrong' }>): string | undefined {
  if (step.kind === 'wrong') return undefined;
  const account = keyOf(step.user);
  const { authorizationId } = step;
  return authorizationId === '' || keyOf(authorizationId) === account ? account : undefined;
}

function keyOf(text: string): string | undefined {
  const address = parseAddress(text);
  return address && addressKey(address);
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
