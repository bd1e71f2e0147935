/** How an address of ours may be read, the most literal way first: as it stands, without its tag, in the domain that it is an alias of. */

import { type Address, addressKey, parseAddress } from '../mail/address.ts';
import { usersOf } from '../mail/subaddress.ts';
import type { Account, Alias } from '../store/account-store.ts';
import type { Store } from '../store/store.ts';

/** What holds for the addresses of one domain. */
export interface LocalDomain {
  /** A-labels, lower-case. */
  name: string;
  postmaster?: string;
  /** Every address here is the same address there; all else is as that domain has it. */
  aliasOf?: string;
  /** Stands between user and tag; '': there are no tags. Default: `+`. */
  tagSeparator?: string;
  /** Who gets what is for nobody. */
  catchAll?: string;
  /** Octets of mail that each of its accounts may hold where nothing is set for it. Default: any number. */
  quotaBytes?: number;
}

export type Domains = ReadonlyMap<string, LocalDomain>;

export const defaultTagSeparator = '+';

export interface Reading {
  /** As `addressKey()` writes it. */
  key: string;
  /** By which rules it is read so; none for the address itself. */
  rules: readonly string[];
}

export function readingsOf(address: Address, domains: Domains): Reading[] {
  const own = domains.get(address.domain);
  if (own === undefined) return [];
  const real = own.aliasOf === undefined ? own : (domains.get(own.aliasOf) ?? own);
  const { tagSeparator = defaultTagSeparator } = real;
  const localParts = [address.localPart, ...usersOf(address.localPart, tagSeparator)];
  return [...new Set([own, real])].flatMap(({ name }) =>
    localParts.map((localPart, index) => ({
      key: addressKey({ localPart, domain: name }),
      rules: [...(name === address.domain ? [] : ['domain alias']), ...(index === 0 ? [] : ['subaddress'])],
    })),
  );
}

export type Place =
  | { kind: 'remote'; address: string; destination: string }
  | ({ kind: 'alias'; alias: Alias } & Reading)
  | ({ kind: 'account'; account: Account } & Reading);

export interface PlaceParts {
  store: Pick<Store, 'findAccount' | 'findAlias'>;
  domains: Domains;
}

/** What an address stands for: an address that exists goes before one that it can be read as. */
export async function findPlace({ store, domains }: PlaceParts, key: string): Promise<Place | undefined> {
  const address = parseAddress(key);
  if (!address) return undefined;
  if (!domains.has(address.domain)) return { kind: 'remote', address: key, destination: address.domain };
  for (const reading of readingsOf(address, domains)) {
    const alias = await store.findAlias(reading.key);
    if (alias) return { kind: 'alias', alias, ...reading };
    const account = await store.findAccount(reading.key);
    if (account) return { kind: 'account', account, ...reading };
  }
  return undefined;
}
