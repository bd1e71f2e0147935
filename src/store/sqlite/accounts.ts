/** Accounts and aliases: few rows, found by address, lower-case. */

import type { Database } from 'better-sqlite3';
import type { ScramKeys } from '../../sasl/scram.ts';
import type { Account, AccountSettings, Alias, PublicAccount } from '../account-store.ts';
import { aliasText, readAliasText } from './alias-text.ts';
import type { Operations } from './protocol.ts';
import { json } from './rows.ts';

export type AccountOperations = Pick<
  Operations,
  | 'addAccounts'
  | 'setPassword'
  | 'addScramKeys'
  | 'lacksScramKeys'
  | 'setSettings'
  | 'findAccount'
  | 'firstAccount'
  | 'listAccounts'
  | 'removeAccount'
  | 'setAlias'
  | 'findAlias'
  | 'listAliases'
>;

type AccountRow = [
  address: string,
  passwordHash: string,
  createdAt: number,
  /** JSON, both. */
  settings: string | null,
  scramKeys: string | null,
];

type AliasRow = [address: string, targets: string];

/** Of a row: it was not removed. */
const isThere = "(settings IS NULL OR json_extract(settings, '$.removed') IS NULL)";

export function createAccounts(database: Database): AccountOperations {
  const insert = database.prepare(
    'INSERT INTO accounts (address, domain, password_hash, created_at, settings, scram_keys) ' +
      'VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const setPassword = database.prepare(
    'UPDATE accounts SET password_hash = ?, scram_keys = ? WHERE address = ?',
  );
  const addScramKeys = database.prepare(
    'UPDATE accounts SET scram_keys = ? WHERE address = ? AND password_hash = ?',
  );
  const lacksScramKeys = database
    .prepare<[], number>(`SELECT EXISTS (SELECT 1 FROM accounts WHERE scram_keys IS NULL AND ${isThere})`)
    .pluck();
  const setSettings = database.prepare('UPDATE accounts SET settings = ? WHERE address = ?');
  const columns = 'address, password_hash, created_at, settings, scram_keys';
  const find = database
    .prepare<[string], AccountRow>(`SELECT ${columns} FROM accounts WHERE address = ?`)
    .raw();
  const first = database
    .prepare<[string], string>(
      `SELECT address FROM accounts WHERE domain = ? AND ${isThere} ORDER BY created_at, id LIMIT 1`,
    )
    .pluck();
  const list = database.prepare<[], AccountRow>(`SELECT ${columns} FROM accounts ORDER BY address`).raw();
  const remove = database.prepare('DELETE FROM accounts WHERE address = ?');

  return {
    addAccounts: (accounts) =>
      accounts
        .filter(({ address, passwordHash, createdAt, settings, scramKeys }) => {
          const extras = [json(settings), json(scramKeys)];
          return insert.run(address, domainOf(address), passwordHash, createdAt, ...extras).changes === 0;
        })
        .map(({ address }) => address),
    setPassword: ({ address, passwordHash, scramKeys }) =>
      setPassword.run(passwordHash, json(scramKeys), address).changes > 0,
    addScramKeys: ({ address, passwordHash, scramKeys }) =>
      addScramKeys.run(json(scramKeys), address, passwordHash).changes > 0,
    lacksScramKeys: () => lacksScramKeys.get() === 1,
    setSettings: ({ address, settings }) => {
      const text = Object.keys(settings).length === 0 ? null : json(settings);
      return setSettings.run(text, address).changes > 0;
    },
    findAccount: (address) => {
      const row = find.get(address);
      return row && account(row);
    },
    firstAccount: (domain) => first.get(domain),
    listAccounts: () => list.all().map(publicAccount),
    removeAccount: (address) => remove.run(address).changes > 0,
    ...createAliases(database),
  };
}

function createAliases(database: Database): Pick<Operations, 'setAlias' | 'findAlias' | 'listAliases'> {
  const set = database.prepare(
    'INSERT INTO aliases (address, targets) VALUES (?, ?) ON CONFLICT DO UPDATE SET targets = excluded.targets',
  );
  const remove = database.prepare('DELETE FROM aliases WHERE address = ?');
  const find = database
    .prepare<[string], AliasRow>('SELECT address, targets FROM aliases WHERE address = ?')
    .raw();
  const list = database.prepare<[], AliasRow>('SELECT address, targets FROM aliases ORDER BY address').raw();

  return {
    setAlias: ({ address, targets, list }) => {
      if (targets.length === 0) remove.run(address);
      else set.run(address, aliasText({ targets, ...(list && { list }) }));
    },
    findAlias: (address) => {
      const row = find.get(address);
      return row && alias(row);
    },
    listAliases: () => list.all().map(alias),
  };
}

function account(row: AccountRow): Account {
  const [, passwordHash, , , scramKeys] = row;
  return {
    ...shown(row),
    passwordHash,
    // Written by setPassword(), addScramKeys() and addAccounts() from the same type.
    ...(scramKeys !== null && { scramKeys: JSON.parse(scramKeys) as ScramKeys }),
  };
}

const publicAccount = (row: AccountRow): PublicAccount => ({ ...shown(row), hasScramKeys: row[4] !== null });

function shown([address, , createdAt, settings]: AccountRow): Omit<PublicAccount, 'hasScramKeys'> {
  // Written by setSettings() and addAccounts() from the same type.
  return {
    address,
    createdAt,
    ...(settings !== null && { settings: JSON.parse(settings) as AccountSettings }),
  };
}

function alias([address, targets]: AliasRow): Alias {
  // Written by setAlias().
  return { address, ...(readAliasText(targets) ?? { targets: [] }) };
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);
