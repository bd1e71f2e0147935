/**
 * Passwords for one mail program each, beside an account's own: each with a hash and SCRAM keys of its own, so that one
 * alone can be revoked. Kept as one memo per account; when each was used last is another, written at most once an hour.
 */

import type { Service } from '../sasl/exchange.ts';
import type { ScramKeys } from '../sasl/scram.ts';
import type { Account } from './account-store.ts';
import type { Store } from './store.ts';

export type Scope = Service | 'both';

export interface AppPassword {
  /** By which its user knows it. */
  name: string;
  scope: Scope;
  createdAt: number;
  /** Its first group: one hash is tried and not all, so that the time tells nobody how many there are. */
  selector: string;
  /** argon2id, in PHC string form. */
  passwordHash: string;
  /** In the salt that is the same for all passwords of the account: a challenge of SCRAM has room for one. */
  scramKeys: ScramKeys;
}

type Memos = Pick<Store, 'findMemo' | 'writeMemos' | 'removeMemos'>;

export const appPasswordsKind = 'app-passwords';
export const appPasswordsUsedKind = 'app-passwords-used';

/** How exact it is when one was used last. */
const usedWithinMs = 3600_000;

/** Five groups; the first is the selector, and of the others nothing is kept but what was made of them. */
const shape = /^[a-z2-7]{4}(?:-[a-z2-7]{4}){4}$/;

/** Undefined for what cannot be an app password. */
export const selectorOf = (password: string): string | undefined =>
  shape.test(password) ? password.slice(0, 4) : undefined;

export const serves = ({ scope }: Pick<AppPassword, 'scope'>, service: Service): boolean =>
  scope === 'both' || scope === service;

export async function readAppPasswords(
  store: Pick<Store, 'findMemo'>,
  account: string,
): Promise<readonly AppPassword[]> {
  const memo = await store.findMemo(appPasswordsKind, account);
  return (memo?.value as AppPassword[] | undefined) ?? []; // by writeAppPasswords()
}

/** In the place of all that there were. */
export async function writeAppPasswords(
  store: Memos,
  account: string,
  all: readonly AppPassword[],
): Promise<void> {
  if (all.length === 0) await store.removeMemos(appPasswordsKind, [account]);
  else await store.writeMemos([{ kind: appPasswordsKind, key: account, value: all }]);
}

/** By name, when each was used, in ms since the epoch. */
export type Uses = Readonly<Record<string, number>>;

export async function readUses(store: Pick<Store, 'findMemo'>, account: string): Promise<Uses> {
  const memo = await store.findMemo(appPasswordsUsedKind, account);
  return (memo?.value as Uses | undefined) ?? {}; // by noteUse()
}

export async function noteUse(
  store: Pick<Store, 'findMemo' | 'writeMemos'>,
  { account, name, now }: { account: string; name: string; now: number },
): Promise<void> {
  const uses = await readUses(store, account);
  if (now - (uses[name] ?? 0) < usedWithinMs) return;
  const value = { ...uses, [name]: now - (now % usedWithinMs) };
  await store.writeMemos([{ kind: appPasswordsUsedKind, key: account, value }]);
}

/** Whose name is given to another is not taken for used. */
export async function forgetUse(store: Memos, account: string, name: string): Promise<void> {
  const { [name]: gone, ...value } = await readUses(store, account);
  if (gone !== undefined) await store.writeMemos([{ kind: appPasswordsUsedKind, key: account, value }]);
}

/** In which salt keys for a further password must be made; undefined: in any. */
export const saltOf = (
  account: Pick<Account, 'scramKeys'> | undefined,
  appPasswords: readonly AppPassword[],
): string | undefined => (account?.scramKeys ?? appPasswords[0]?.scramKeys)?.salt;
