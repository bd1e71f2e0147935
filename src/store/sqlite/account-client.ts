/** The Store's accounts and aliases over a link, with a memory for what the hot path asks: who is local? */

import type { PublicAccount } from '../account-store.ts';
import type { Store } from '../store.ts';
import type { Link } from './link.ts';
import { createLookups } from './lookups.ts';

/** Accounts that one step inserts. */
const insertStep = 500;

type Accounts = Pick<
  Store,
  | 'addAccounts'
  | 'setPassword'
  | 'addScramKeys'
  | 'lacksScramKeys'
  | 'setSettings'
  | 'findAccount'
  | 'firstAccount'
  | 'listAccounts'
  | 'findRemovedAccount'
  | 'listRemovedAccounts'
  | 'eraseAccount'
  | 'setAlias'
  | 'findAlias'
  | 'listAliases'
>;

export function accountsOver(link: Link): Accounts {
  const accounts = createLookups((address) => link.call('findAccount', address));
  const aliases = createLookups((address) => link.call('findAlias', address));
  return {
    async addAccounts(added) {
      const existing: string[] = [];
      for (let start = 0; start < added.length; start += insertStep) {
        const step = added.slice(start, start + insertStep);
        existing.push(...(await link.call('addAccounts', step)));
        for (const { address } of step) accounts.forget(address);
      }
      return existing;
    },
    async setPassword(address, passwordHash, scramKeys) {
      const changed = await link.call('setPassword', { address, passwordHash, scramKeys });
      accounts.forget(address);
      return changed;
    },
    async addScramKeys(address, passwordHash, scramKeys) {
      const changed = await link.call('addScramKeys', { address, passwordHash, scramKeys });
      accounts.forget(address);
      return changed;
    },
    lacksScramKeys: () => link.call('lacksScramKeys', undefined),
    async setSettings(address, settings) {
      const changed = await link.call('setSettings', { address, settings });
      accounts.forget(address);
      return changed;
    },
    findAccount: async (address) => {
      const account = await accounts.find(address);
      return isRemoved(account) ? undefined : account;
    },
    findRemovedAccount: async (address) => {
      const account = await accounts.find(address);
      return isRemoved(account) ? account : undefined;
    },
    firstAccount: (domain) => link.call('firstAccount', domain),
    listAccounts: async () => (await link.call('listAccounts', undefined)).filter((each) => !isRemoved(each)),
    listRemovedAccounts: async () => (await link.call('listAccounts', undefined)).filter(isRemoved),
    async eraseAccount(address) {
      if ((await link.call('findAccount', address)) === undefined) return false;
      await eraseAddress(link, address);
      const removed = await link.call('removeAccount', address);
      accounts.forget(address);
      return removed;
    },
    async setAlias(alias) {
      await link.call('setAlias', alias);
      aliases.forget(alias.address);
    },
    findAlias: (address) => aliases.find(address),
    listAliases: () => link.call('listAliases', undefined),
  };
}

const isRemoved = (account: Pick<PublicAccount, 'settings'> | undefined): boolean =>
  account?.settings?.removed !== undefined;

/** The account's row goes after its dossiers: whoever is interrupted can simply remove it again. */
async function eraseAddress(link: Link, address: string): Promise<void> {
  let bucket = await link.call('eraseAddress', { address, bucket: undefined });
  while (bucket !== undefined) bucket = await link.call('eraseAddress', { address, bucket });
}
