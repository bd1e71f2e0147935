/** Accounts from a CSV file: `address,password` or `address,hash`, one per line, with or without a line of titles. */

import { localAddress } from '../admin/addresses.ts';
import { AdminError, type NewAccount } from '../admin/admin.ts';
import { csvRows } from './csv.ts';

export interface AccountRows {
  accounts: NewAccount[];
  /** `line 3: …`, in the order of lines; if there is any, none of the accounts should be made. */
  problems: string[];
}

/** Nobody reads more of them: it is the wrong file, or one that wants mending from its first line on. */
export const maxProblems = 100;

export function readAccounts(text: string, domains: readonly { name: string }[]): AccountRows {
  const problems: string[] = [];
  const accounts = new Map<string, { account: NewAccount; line: number }>();
  let isFirst = true;
  for (const { line, fields } of csvRows(text)) {
    const isTitles = isFirst && fields?.[0]?.trim().toLowerCase() === 'address';
    isFirst = false;
    if (isTitles) continue;
    const read = readAccount(fields, domains);
    const earlier = typeof read === 'string' ? undefined : accounts.get(read.address);
    if (typeof read === 'string') problems.push(`line ${line}: ${read}`);
    else if (earlier) problems.push(`line ${line}: ${read.address} is in line ${earlier.line} already`);
    else accounts.set(read.address, { account: read, line });
    if (problems.length < maxProblems) continue;
    problems.push(`line ${line}: so many problems; what follows was not looked at`);
    break;
  }
  return { accounts: [...accounts.values()].map(({ account }) => account), problems };
}

/** An account, or what is wrong with the row. */
function readAccount(
  fields: readonly string[] | undefined,
  domains: readonly { name: string }[],
): NewAccount | string {
  if (fields === undefined) return 'a quote is out of place; "double" the quotes inside quotes';
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
