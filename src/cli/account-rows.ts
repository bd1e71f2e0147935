/** Accounts from a file, whatever its format: what can be made of its rows, and what is wrong with them, by line. */

import { localAddress } from '../admin/addresses.ts';
import { AdminError } from '../admin/admin-error.ts';
import { checkCredential } from '../admin/credentials.ts';
import type { NewAccount } from '../admin/shapes/accounts.ts';
import { readSecret, type Secret } from './account-secrets.ts';

/** As its format has it. */
export type AccountRow = { line: number } & ({ address: string; secret: string } | { problem: string });

export interface AccountRows {
  accounts: NewAccount[];
  /** They have a hash of a kind that cannot be taken over. */
  unusable: { line: number; address: string; scheme: string }[];
  /** `line 3: …`, in the order of lines; if there is any, none of the accounts should be made. */
  problems: string[];
}

export interface RowOptions {
  domains: readonly { name: string }[];
  /** Of users that are written without one. */
  domain?: string | undefined;
}

/** Nobody reads more of them: it is the wrong file, or one that wants mending from its first line on. */
export const maxProblems = 100;

export function readAccountRows(rows: Iterable<AccountRow>, options: RowOptions): AccountRows {
  const problems: string[] = [];
  const lines = new Map<string, number>();
  const read: AccountRows = { accounts: [], unusable: [], problems };
  for (const row of rows) {
    const found = readRow(row, options);
    const earlier = typeof found === 'string' ? undefined : lines.get(found.address);
    if (typeof found === 'string') problems.push(`line ${row.line}: ${found}`);
    else if (earlier !== undefined)
      problems.push(`line ${row.line}: ${found.address} is in line ${earlier} already`);
    else {
      const { address, secret } = found;
      lines.set(address, row.line);
      if ('unusable' in secret) read.unusable.push({ line: row.line, address, scheme: secret.unusable });
      else read.accounts.push({ address, ...secret });
    }
    if (problems.length < maxProblems) continue;
    problems.push(`line ${row.line}: so many problems; what follows was not looked at`);
    break;
  }
  return read;
}

/** An account, or what is wrong with the row. */
function readRow(
  row: AccountRow,
  { domains, domain }: RowOptions,
): { address: string; secret: Secret } | string {
  if ('problem' in row) return row.problem;
  const written = row.address.trim();
  const whole = written.includes('@') || domain === undefined ? written : `${written}@${domain}`;
  try {
    const address = localAddress(whole, domains);
    const secret = readSecret(row.secret);
    if (!('unusable' in secret)) checkCredential(secret.password, secret.hash);
    return { address, secret };
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    const remedy = whole.includes('@') ? '' : ' Or say whose user that is: --domain example.com.';
    return `${error.message}${remedy}`;
  }
}
