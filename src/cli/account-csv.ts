/** Accounts from a CSV file: `address,password` or `address,hash`, one per line, with or without a line of titles. */

import { localAddress } from '../admin/addresses.ts';
import { AdminError, type NewAccount } from '../admin/admin.ts';
import { parseCsv } from './csv.ts';

export interface AccountRows {
  accounts: NewAccount[];
  /** `line 3: …`, in the order of lines; if there is any, none of the accounts should be made. */
  problems: string[];
}

export function readAccounts(text: string, domains: readonly { name: string }[]): AccountRows {
  const { rows, malformed } = parseCsv(text);
  const problems = malformed.map((line) => ({
    line,
    what: 'a quote is out of place; "double" the quotes inside quotes',
  }));
  const accounts = new Map<string, { account: NewAccount; line: number }>();
  const [first, ...others] = rows;
  const hasTitles = first?.fields[0]?.trim().toLowerCase() === 'address';
  for (const { line, fields } of hasTitles ? others : rows) {
    const read = readAccount(fields, domains);
    const earlier = typeof read === 'string' ? undefined : accounts.get(read.address);
    if (typeof read === 'string') problems.push({ line, what: read });
    else if (earlier) problems.push({ line, what: `${read.address} is in line ${earlier.line} already` });
    else accounts.set(read.address, { account: read, line });
  }
  return {
    accounts: [...accounts.values()].map(({ account }) => account),
    problems: problems
      .sort((one, other) => one.line - other.line)
      .map(({ line, what }) => `line ${line}: ${what}`),
  };
}

/** An account, or what is wrong with the row. */
function readAccount(fields: readonly string[], domains: readonly { name: string }[]): NewAccount | string {
  const [written = '', secret = '', ...rest] = fields;
  if (rest.some((extra) => extra.trim() !== '')) {
    return 'more than two columns; put a password with a comma in "quotes"';
  }
  if (secret === '') return 'no password; write address,password';
  try {
    const address = localAddress(written.trim(), domains);
    return secret.startsWith('$argon2id$') ? { address, hash: secret } : { address, password: secret };
  } catch (error) {
    if (error instanceof AdminError) return error.message;
    throw error;
  }
}
