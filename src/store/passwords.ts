/**
 * Passwords of accounts: argon2id (RFC 9106) in PHC string form, and the check behind SMTP AUTH and POP3. Whether a
 * user exists must not be told by the time that the answer takes.
 */

import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { addressKey, parseAddress } from '../mail/address.ts';
import type { Service } from '../sasl/exchange.ts';
import type { Account } from './account-store.ts';
import { type AppPassword, selectorOf, serves } from './app-passwords.ts';
import { faultOfHash } from './argon2-hash.ts';

/** OWASP's minimum for argon2id: about 10 ms. argon2id is the library's default algorithm. */
const cost = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 };

/**
 * Passwords checked at once; others wait. Each takes 19 MiB and a thread of the pool that file operations use too, and
 * more than there are processors would make none of them quicker.
 */
const checksAtOnce = Math.min(4, availableParallelism());

/** A fresh salt each time. Resolves to `$argon2id$…`. */
export const hashPassword = (password: string): Promise<string> => hash(password, cost);

/** False also where the stored hash is none. */
export async function verifyPassword(passwordHash: string, password: string): Promise<boolean> {
  try {
    return await verify(passwordHash, password);
  } catch {
    // The library rejects what is not a PHC string: an account that was given no usable hash.
    return false;
  }
}

export interface Authenticated {
  /** The account's address. */
  account: string;
  /** The name of the app password that it was; absent: its own. */
  appPassword?: string;
}

/**
 * Whose password that is: the door for any source of passwords, such as a directory by LDAP. Undefined for a wrong password
 * and for a user that is not there, after the same time; rejects where it cannot be found out. `user` is an account's full
 * address, in any case. Whether the account may log in at all is asked of the store afterwards (login.ts).
 */
export type Authenticator = (
  user: string,
  password: string,
  service: Service,
) => Promise<Authenticated | undefined>;

/** Of those kept here. */
export function authenticator(accounts: {
  findAccount(address: string): Promise<Account | undefined>;
  /** Absent: there are none. */
  appPasswordsOf?(account: string): Promise<readonly AppPassword[]>;
}): Authenticator {
  const limited = createLimit(checksAtOnce);
  // Stands in for the hash of users that do not exist, so that they cost the same time.
  let stranger: Promise<string> | undefined;
  const findAppPassword = async (account: Account | undefined, password: string, service: Service) => {
    const selector = selectorOf(password);
    if (account === undefined || selector === undefined) return undefined;
    const all = (await accounts.appPasswordsOf?.(account.address)) ?? [];
    return all.find((each) => each.selector === selector && serves(each, service));
  };
  return async (user, password, service) => {
    const address = parseAddress(user);
    const account = address && (await accounts.findAccount(addressKey(address)));
    stranger ??= hashPassword('no account has this hash');
    const app = await findAppPassword(account, password, service);
    const hash = account?.passwordHash;
    // One that was taken over before its cost was looked at would be computed for whoever asks.
    const isOpen = hash !== undefined && !account?.settings?.appPasswordsOnly && !faultOfHash(hash);
    const own = isOpen ? hash : undefined;
    const passwordHash = app?.passwordHash ?? own ?? (await stranger);
    const matches = await limited(() => verifyPassword(passwordHash, password));
    if (!matches || account === undefined || (app ?? own) === undefined) return undefined;
    return { account: account.address, ...(app && { appPassword: app.name }) };
  };
}

/** Runs at most `limit` of the actions at once, the others in the order in which they came. */
function createLimit(limit: number): <T>(action: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  const enter = async () => {
    if (running < limit) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  /** The place goes to who has waited longest, or is free. */
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  return async (action) => {
    await enter();
    try {
      return await action();
    } finally {
      leave();
    }
  };
}
