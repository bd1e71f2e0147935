/**
 * Passwords of accounts: argon2id (RFC 9106) in PHC string form, and the check behind SMTP AUTH and POP3. Whether a
 * user exists must not be told by the time that the answer takes.
 */

import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { addressKey, parseAddress } from '../mail/address.ts';
import type { Account } from './store.ts';

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

/** Resolves to the account's address if this is its user name (its full address, any case) and password. */
export type Authenticator = (user: string, password: string) => Promise<string | undefined>;

export function authenticator(accounts: {
  findAccount(address: string): Promise<Account | undefined>;
}): Authenticator {
  const limited = createLimit(checksAtOnce);
  // Stands in for the hash of users that do not exist, so that they cost the same time.
  let stranger: Promise<string> | undefined;
  return async (user, password) => {
    const address = parseAddress(user);
    const account = address && (await accounts.findAccount(addressKey(address)));
    stranger ??= hashPassword('no account has this hash');
    const passwordHash = account?.passwordHash ?? (await stranger);
    const matches = await limited(() => verifyPassword(passwordHash, password));
    return matches && account !== undefined ? account.address : undefined;
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
