/** Accounts and aliases: the rules for making, changing and removing them. The store only keeps what passed here. */

import { isRewritten } from '../mail/srs.ts';
import { follow } from '../queue/following.ts';
import { findPlace } from '../queue/readings.ts';
import { makeScramKeys } from '../sasl/scram.ts';
import type { Account, Alias, MailingList } from '../store/account-store.ts';
import { readAppPasswords, saltOf } from '../store/app-passwords.ts';
import { hashPassword } from '../store/passwords.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Turnstile } from '../util/turnstile.ts';
import { type AccessOperations, accessOperations } from './account-access.ts';
import { type ErasureParts, type RemovalOperations, removalOperations } from './account-removal.ts';
import { type EndSessions, inTurn, noSuchAccount, settingsOperations } from './account-settings.ts';
import { anyAddress, type Domains, localAddress } from './addresses.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';
import { checkCredential, checkPassword } from './credentials.ts';
import type { NewAccount } from './shapes/accounts.ts';

export interface AccountParts extends Pick<ErasureParts, 'senders' | 'greylist'> {
  store: Store;
  domains: Domains;
  policies: readonly { name: string }[];
  clock: Clock;
  /** Lets one in at a time who changes settings. */
  turns: Turnstile;
  /** Whoever remembers accounts and aliases must look again. */
  changed(removed?: string): void;
  /** Absent where no server runs. */
  endSessions?: EndSessions | undefined;
  /** Absent: no mailbox of what is erased is on disk. */
  dataDir?: string | undefined;
  /** What is removed is kept for so long. Default: `defaultGraceMs`. */
  graceMs?: number | undefined;
}

type AccountOperations = Pick<
  Admin,
  'addAccount' | 'importAccounts' | 'listAccounts' | 'setPassword' | 'changeSettings'
> &
  AccessOperations &
  RemovalOperations;
type AliasOperations = Pick<Admin, 'setAlias' | 'removeAlias' | 'listAliases'>;

/** Passwords hashed at once: each costs 19 MiB and a thread of the pool. */
const hashedAtOnce = 8;

export function accountOperations(parts: AccountParts): AccountOperations {
  const { store, domains, changed } = parts;
  return {
    async addAccount(request) {
      const account = await newAccount(request, parts);
      refuseRewritten(account.address);
      await refuseAlias(account.address, store);
      const existing = await store.addAccounts([account]);
      if (existing.length > 0) throw await accountExists(store, account.address);
      changed();
    },
    importAccounts: ({ accounts }) => importAccounts(accounts, parts),
    listAccounts: () => store.listAccounts(),
    setPassword: ({ address, password }) =>
      inTurn(parts.turns, async () => {
        const key = localAddress(address, domains);
        checkPassword(password);
        if (!(await store.findAccount(key))) throw noSuchAccount(key);
        // A challenge of SCRAM has room for one salt: that of the app passwords stays.
        const salt = saltOf(undefined, await readAppPasswords(store, key));
        const [passwordHash, scramKeys] = await secretsOf(password, salt);
        if (!(await store.setPassword(key, passwordHash, scramKeys))) throw noSuchAccount(key);
        changed();
        parts.endSessions?.(key, 'without-app-password');
      }),
    ...settingsOperations(parts),
    ...accessOperations(parts),
    ...removalOperations(parts),
  };
}

export function aliasOperations({ store, domains, changed }: AccountParts): AliasOperations {
  return {
    async setAlias(request) {
      const alias = await checkAlias(request, store, domains);
      await store.setAlias(alias);
      changed();
    },
    async removeAlias({ address }) {
      const key = localAddress(address, domains);
      if (!(await store.findAlias(key))) {
        throw new AdminError(
          'no-such-alias',
          `There is no alias ${key}. To see all of them: posthorn alias list`,
        );
      }
      await store.setAlias({ address: key, targets: [] });
      changed();
    },
    listAliases: () => store.listAliases(),
  };
}

async function importAccounts(rows: NewAccount[], parts: AccountParts) {
  for (const { address, password, hash } of rows) {
    const key = localAddress(address, parts.domains);
    checkCredential(password, hash);
    refuseRewritten(key);
    await refuseAlias(key, parts.store);
  }
  const accounts: Account[] = [];
  for (let start = 0; start < rows.length; start += hashedAtOnce) {
    const batch = rows.slice(start, start + hashedAtOnce);
    accounts.push(...(await Promise.all(batch.map((row) => newAccount(row, parts)))));
  }
  try {
    const existing = await parts.store.addAccounts(accounts);
    return { added: accounts.length - existing.length, existing };
  } finally {
    parts.changed(); // also of a failure in between, before which some were added
  }
}

async function newAccount(
  { address, password, hash }: NewAccount,
  { domains, clock }: AccountParts,
): Promise<Account> {
  const key = localAddress(address, domains);
  const secret = checkCredential(password, hash);
  const createdAt = clock.now();
  if ('hash' in secret) return { address: key, passwordHash: secret.hash, createdAt };
  const [passwordHash, scramKeys] = await secretsOf(secret.password);
  return { address: key, passwordHash, createdAt, scramKeys };
}

/** What is kept of a password: for who sends it, and for who proves that he knows it. */
const secretsOf = (password: string, salt?: string) =>
  Promise.all([hashPassword(password), makeScramKeys(password, salt)]);

/** Mail follows an alias before it finds an account: the two cannot share an address. */
async function refuseAlias(address: string, store: Store): Promise<void> {
  if (await store.findAlias(address)) {
    throw new AdminError(
      'exists',
      `${address} is an alias. Remove that first: posthorn alias remove ${address}`,
    );
  }
}

async function checkAlias({ address, targets, list }: Alias, store: Store, domains: Domains): Promise<Alias> {
  const key = localAddress(address, domains);
  refuseRewritten(key);
  if (targets.length === 0)
    throw new AdminError('bad-request', `The alias ${key} needs an address that it leads to.`);
  if (await store.findAccount(key)) {
    throw new AdminError(
      'exists',
      `${key} is an account, and an alias would take all its mail. Choose another address.`,
    );
  }
  const found: string[] = [];
  for (const target of targets) found.push(await checkTarget(key, target, store, domains));
  const alias = { address: key, targets: [...new Set(found)] };
  await refuseEndless(alias, store, domains);
  return list ? { ...alias, list: await checkList(key, list, store, domains) } : alias;
}

/** What leads further than anybody follows would be refused to everybody who writes to it. */
async function refuseEndless(alias: Alias, store: Store, domains: Domains): Promise<void> {
  const { address } = alias;
  const findAlias = async (key: string) => (key === address ? alias : store.findAlias(key));
  const places = {
    store: { findAlias, findAccount: (key: string) => store.findAccount(key) },
    domains: new Map(domains.map((domain) => [domain.name, domain])),
  };
  const { cut } = await follow(places, { original: address, start: address });
  if (cut !== undefined)
    throw new AdminError('bad-request', `${address} ${cut}, and no more are followed. Let it lead to fewer.`);
}

async function checkList(
  alias: string,
  { owner, post, name }: MailingList,
  store: Store,
  domains: Domains,
): Promise<MailingList> {
  const key = await checkTarget(alias, localAddress(owner, domains), store, domains);
  if (name !== undefined && !/^[\x20-\x7e]{1,100}$/.test(name))
    throw new AdminError('bad-request', 'The name of a list is one line of ASCII, up to 100 characters.');
  return { owner: key, post, ...(name !== undefined && { name }) };
}

async function checkTarget(alias: string, target: string, store: Store, domains: Domains): Promise<string> {
  const { address, isLocal } = anyAddress(target, domains);
  if (!isLocal) return address;
  if (await leadsTo(address, alias, store)) {
    throw new AdminError(
      'bad-request',
      `${alias} → ${address} would be a loop. Leave one of its aliases out.`,
    );
  }
  const places = { store, domains: new Map(domains.map((domain) => [domain.name, domain])) };
  if (await findPlace(places, address)) return address;
  throw noSuchAccount(address);
}

async function leadsTo(from: string, goal: string, store: Store, seen = new Set<string>()): Promise<boolean> {
  if (from === goal) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  const alias = await store.findAlias(from);
  for (const target of alias?.targets ?? []) if (await leadsTo(target, goal, store, seen)) return true;
  return false;
}

/** Such an address would be taken for one of a bounce that comes back, and nobody could write to it. */
function refuseRewritten(key: string): void {
  if (isRewritten(key))
    throw new AdminError(
      'bad-request',
      `${key} looks like a rewritten return path (SRS). Choose another name.`,
    );
}

async function accountExists(store: Store, address: string): Promise<AdminError> {
  const removed = (await store.findRemovedAccount(address))?.settings?.removed;
  const text = removed
    ? `${address} was removed, and is kept until ${new Date(removed.eraseAt).toISOString()}. ` +
      `To have it back: posthorn account restore ${address}. To erase it now: posthorn account remove ${address} --now`
    : `${address} exists already. To change its password: posthorn account passwd ${address}`;
  return new AdminError('exists', text);
}
