/** Who may log in to an account, and with what: suspending and resuming it, and its app passwords. */

import { makeScramKeys } from '../sasl/scram.ts';
import type { Account, AccountSettings } from '../store/account-store.ts';
import {
  type AppPassword,
  forgetUse,
  readAppPasswords,
  readUses,
  type Scope,
  saltOf,
  selectorOf,
  writeAppPasswords,
} from '../store/app-passwords.ts';
import { hashPassword } from '../store/passwords.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Turnstile } from '../util/turnstile.ts';
import { type EndSessions, inTurn, noSuchAccount } from './account-settings.ts';
import { type Domains, localAddress } from './addresses.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';
import { generateAppPassword } from './generate-password.ts';

export type AccessOperations = Pick<
  Admin,
  'suspendAccount' | 'resumeAccount' | 'addAppPassword' | 'listAppPasswords' | 'removeAppPassword'
>;

export interface AccessParts {
  store: Pick<Store, 'findAccount' | 'setSettings' | 'findMemo' | 'writeMemos' | 'removeMemos'>;
  domains: Domains;
  clock: Clock;
  turns: Turnstile;
  changed(): void;
  endSessions?: EndSessions | undefined;
}

/** Of one account: more than anybody has mail programs. */
export const maxAppPasswords = 50;

export function accessOperations(parts: AccessParts): AccessOperations {
  const { store, clock, endSessions } = parts;
  return {
    suspendAccount: ({ address, refusesMail = false }) =>
      withAccount(parts, address, async ({ address: key, settings }) => {
        const at = settings?.suspended?.at ?? clock.now();
        await set(parts, key, { ...settings, suspended: { at, ...(refusesMail && { refusesMail }) } });
        endSessions?.(key);
      }),
    resumeAccount: ({ address }) =>
      withAccount(parts, address, async ({ address: key, settings = {} }) => {
        const { suspended, ...rest } = settings;
        await set(parts, key, rest);
        return { resumed: suspended !== undefined };
      }),
    addAppPassword: ({ address, name, scope }) =>
      withAccount(parts, address, (account) => addAppPassword(parts, account, { name, scope })),
    listAppPasswords: ({ address }) =>
      withAccount(parts, address, async ({ address: key }) => {
        const uses = await readUses(store, key);
        return (await readAppPasswords(store, key)).map(({ name, scope, createdAt }) => {
          const usedAt = uses[name];
          return { name, scope, createdAt, ...(usedAt !== undefined && { usedAt }) };
        });
      }),
    removeAppPassword: ({ address, name }) =>
      withAccount(parts, address, async ({ address: key }) => {
        const all = await readAppPasswords(store, key);
        const others = all.filter((each) => each.name !== name);
        if (others.length === all.length) return { removed: false };
        await writeAppPasswords(store, key, others);
        await forgetUse(store, key, name);
        endSessions?.(key, { appPassword: name });
        return { removed: true };
      }),
  };
}

async function addAppPassword(
  { store, clock }: AccessParts,
  account: Account,
  { name, scope }: { name: string; scope: Scope },
): Promise<{ password: string }> {
  const all = await readAppPasswords(store, account.address);
  refuseName(name, all, account.address);
  const password = newPassword(all);
  const made: AppPassword = {
    name,
    scope,
    createdAt: clock.now(),
    selector: selectorOf(password) ?? '',
    passwordHash: await hashPassword(password),
    scramKeys: await makeScramKeys(password, saltOf(account, all)),
  };
  await writeAppPasswords(store, account.address, [...all, made]);
  return { password };
}

function refuseName(name: string, all: readonly AppPassword[], address: string): void {
  if (!/^[^\p{C}\p{Zl}\p{Zp}"]{1,40}$/u.test(name) || name.trim() !== name)
    throw new AdminError(
      'bad-request',
      'The name of an app password is one line, up to 40 characters, such as "phone".',
    );
  if (all.some((each) => each.name === name))
    throw new AdminError(
      'exists',
      `${address} has an app password "${name}" already. To revoke it: posthorn account app-password remove ${address} --name "${name}"`,
    );
  if (all.length >= maxAppPasswords)
    throw new AdminError(
      'too-many',
      `${address} has ${maxAppPasswords} app passwords, which is the most. Remove one first.`,
    );
}

/** Its selector is nobody else's: that is how the right hash is found. */
function newPassword(all: readonly AppPassword[]): string {
  const taken = new Set(all.map(({ selector }) => selector));
  let password = generateAppPassword();
  while (taken.has(selectorOf(password) ?? '')) password = generateAppPassword();
  return password;
}

async function withAccount<T>(
  { store, domains, turns }: AccessParts,
  address: string,
  act: (account: Account) => Promise<T>,
): Promise<T> {
  const key = localAddress(address, domains);
  return inTurn(turns, async () => {
    const account = await store.findAccount(key);
    if (!account) throw noSuchAccount(key);
    return act(account);
  });
}

async function set({ store, changed }: AccessParts, key: string, settings: AccountSettings): Promise<void> {
  await store.setSettings(key, settings);
  changed();
}
