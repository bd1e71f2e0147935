/** Accounts and aliases: few rows, found by address, lower-case. */

import type { Database } from 'better-sqlite3';
import type { Account, Alias } from '../store.ts';
import type { Operations } from './protocol.ts';

export type AccountOperations = Pick<
  Operations,
  | 'addAccounts'
  | 'setPassword'
  | 'findAccount'
  | 'firstAccount'
  | 'listAccounts'
  | 'removeAccount'
  | 'setAlias'
  | 'findAlias'
  | 'listAliases'
>;

type AliasRow = [address: string, targets: string];

export function createAccounts(database: Database): AccountOperations {
  const insert = database.prepare(
    'INSERT INTO accounts (address, domain, password_hash, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const setPassword = database.prepare('UPDATE accounts SET password_hash = ? WHERE address = ?');
  const find = database.prepare<[string], Account>(
    'SELECT address, password_hash AS passwordHash, created_at AS createdAt FROM accounts WHERE address = ?',
  );
  const first = database
    .prepare<[string], string>(
      'SELECT address FROM accounts WHERE domain = ? ORDER BY created_at, id LIMIT 1',
    )
    .pluck();
  const list = database.prepare<[], Omit<Account, 'passwordHash'>>(
    'SELECT address, created_at AS createdAt FROM accounts ORDER BY address',
  );
  const remove = database.prepare('DELETE FROM accounts WHERE address = ?');

  return {
    addAccounts: (accounts) =>
      accounts
        .filter(({ address, passwordHash, createdAt }) => {
          return insert.run(address, domainOf(address), passwordHash, createdAt).changes === 0;
        })
        .map(({ address }) => address),
    setPassword: ({ address, passwordHash }) => setPassword.run(passwordHash, address).changes > 0,
    findAccount: (address) => find.get(address),
    firstAccount: (domain) => first.get(domain),
    listAccounts: () => list.all(),
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
    setAlias: ({ address, targets }) => {
      if (targets.length === 0) remove.run(address);
      else set.run(address, JSON.stringify(targets));
    },
    findAlias: (address) => {
      const row = find.get(address);
      return row && alias(row);
    },
    listAliases: () => list.all().map(alias),
  };
}

function alias([address, targets]: AliasRow): Alias {
  // Written by setAlias() from the same type.
  return { address, targets: JSON.parse(targets) as string[] };
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);
