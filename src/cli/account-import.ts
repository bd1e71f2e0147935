/** `posthorn account import`: many accounts at once, from a CSV or from what Dovecot has. */

import { type Command, Option } from 'commander';
import type { Admin } from '../admin/admin.ts';
import { generatePassword } from '../admin/generate-password.ts';
import type { ImportResult, NewAccount } from '../admin/shapes/accounts.ts';
import { accountRows } from './account-csv.ts';
import { type AccountRows, maxProblems, readAccountRows } from './account-rows.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { readListFile } from './list-file.ts';
import { isPasswdFile, passwdRows } from './passwd-file.ts';
import { once, someText } from './texts.ts';

interface ImportOptions extends CommonOptions {
  format?: 'csv' | 'dovecot';
  domain?: string;
  generate?: boolean;
}

/** Accounts in one request: their passwords are hashed before it is answered. */
const importBatch = 200;

export function addImportCommand(tree: CommandTree, account: Command, context: Context): void {
  const command = tree
    .add(
      account,
      'import <file>',
      'make many: a CSV of address,password or address,argon2id hash, or a passwd-file of Dovecot; - is standard input',
    )
    .addOption(
      new Option('--format <format>', 'of the file (default: what it looks like)').choices([
        'csv',
        'dovecot',
      ]),
    )
    .option('--domain <domain>', 'of users that are written without one', once(someText))
    .option('--generate', 'make and print a password where a hash cannot be taken over')
    .option('--json', 'print JSON');
  tree.run(command, (options: ImportOptions, file: string) => importFile(context, options, file));
}

async function importFile(context: Context, options: ImportOptions, file: string): Promise<ExitCode> {
  const { terminal } = context;
  const text = await readListFile(terminal, file);
  const isPasswd = options.format === undefined ? isPasswdFile(text) : options.format === 'dovecot';
  const generated: { address: string; password: string }[] = [];
  const { added, existing, removed } = await withAdmin(context, options, async (admin, { domains }) => {
    const rows = isPasswd ? passwdRows(text) : accountRows(text);
    const read = readAccountRows(rows, { domains, domain: options.domain });
    const problems = [...read.problems, ...(options.generate ? [] : unusableLines(read))];
    if (problems.length > 0)
      throw new CommandError(
        exitCodes.badData,
        `${file}: nothing was imported, because of\n${problems.join('\n')}`,
      );
    for (const { address } of read.unusable) generated.push({ address, password: generatePassword() });
    const result = await importAll(admin, [...read.accounts, ...generated]);
    return { ...result, removed: await removedOf(admin, result.existing) };
  });
  const there = new Set(existing);
  const told = generated.filter(({ address }) => !there.has(address));
  if (options.json)
    printJson(context, { added, existing, removed, ...(options.generate && { generated: told }) });
  else
    terminal.out(
      `${added} added, ${existing.length} existed already\n${existing.map((address) => lineOf(address, removed)).join('')}` +
        told.map(({ address, password }) => `${address} ${password}\n`).join(''),
    );
  return exitCodes.ok;
}

/** Those that exist only until they are erased: nobody logs in to them. */
async function removedOf(admin: Admin, existing: readonly string[]): Promise<string[]> {
  if (existing.length === 0) return [];
  const removed = new Set((await admin.listRemovedAccounts()).map(({ address }) => address));
  return existing.filter((address) => removed.has(address));
}

const lineOf = (address: string, removed: readonly string[]): string =>
  removed.includes(address)
    ? `  ${address}: is removed. To have it back: posthorn account restore ${address}\n`
    : `  ${address}\n`;

function unusableLines({ unusable }: AccountRows): string[] {
  const lines = unusable
    .slice(0, maxProblems)
    .map(({ line, scheme }) => `line ${line}: a hash of the kind ${scheme}, which cannot be taken over`);
  if (lines.length === 0) return [];
  const more = unusable.length > lines.length ? [`and ${unusable.length - lines.length} more of them`] : [];
  return [...lines, ...more, 'With --generate, these get a new password, which is printed.'];
}

async function importAll(admin: Admin, accounts: readonly NewAccount[]): Promise<ImportResult> {
  const total: ImportResult = { added: 0, existing: [] };
  for (let start = 0; start < accounts.length; start += importBatch) {
    const part = await admin.importAccounts({ accounts: accounts.slice(start, start + importBatch) });
    total.added += part.added;
    total.existing.push(...part.existing);
  }
  return total;
}
