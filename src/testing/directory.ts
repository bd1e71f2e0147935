/** For tests: a directory of recipients over plain data. */

import { parseAddress } from '../mail/address.ts';
import { Directory, type DirectoryParts, type Resolution } from '../queue/directory.ts';
import type { AccountSettings, Alias } from '../store/account-store.ts';

export interface DirectoryWorld {
  accounts?: string[];
  aliases?: Record<string, string[]>;
  /** Accounts that take no mail. */
  closed?: string[];
  forwards?: Record<string, NonNullable<AccountSettings['forward']>>;
  domains?: DirectoryParts['domains'];
  returnPaths?: DirectoryParts['returnPaths'];
}

/** A directory over plain data, which may be changed, and how often the store was asked. */
export function directoryOf({
  accounts = [],
  aliases = {},
  closed = [],
  forwards = {},
  returnPaths,
  domains = [{ name: 'example.com' }],
}: DirectoryWorld) {
  const asked = { times: 0 };
  const aliasOf = (address: string): Alias | undefined => {
    const targets = aliases[address];
    return targets && { address, targets };
  };
  const store: DirectoryParts['store'] = {
    async findAccount(address) {
      asked.times++;
      if (!accounts.includes(address)) return undefined;
      const forward = forwards[address];
      const settings: AccountSettings = {
        ...(closed.includes(address) && { receive: false }),
        ...(forward && { forward }),
      };
      return { address, passwordHash: '', createdAt: 0, settings };
    },
    async findAlias(address) {
      asked.times++;
      return aliasOf(address);
    },
    firstAccount: async (domain) => accounts.find((address) => address.endsWith(`@${domain}`)),
    listAliases: async () => Object.keys(aliases).flatMap((address) => aliasOf(address) ?? []),
  };
  const directory = new Directory({ store, domains, ...(returnPaths && { returnPaths }) });
  const resolve = async (text: string): Promise<Resolution> => {
    const address = text === 'postmaster' ? { localPart: text, domain: '' } : parseAddress(text);
    if (!address) throw new Error(`not an address: ${text}`);
    return directory.resolve(address, text);
  };
  return { directory, resolve, asked, accounts, aliases };
}

/** Whom a resolution leads to. */
export const addresses = (resolution: Resolution): string[] =>
  resolution.status === 'found' ? resolution.recipients.map(({ address }) => address) : [resolution.status];
