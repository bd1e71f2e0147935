/**
 * `posthorn alias import`: many aliases at once, one per line: `address target, target`, as Postfix writes its virtual_alias_maps,
 * `address: target`, as /etc/aliases, or `address,target,target`. `#` begins a comment; a line that begins with a blank goes on.
 */

import type { Command } from 'commander';
import type { Admin } from '../admin/admin.ts';
import { AdminError } from '../admin/admin-error.ts';
import { maxProblems } from './account-rows.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { readListFile } from './list-file.ts';
import { once, someText } from './texts.ts';

interface ImportOptions extends CommonOptions {
  domain?: string;
}

export interface AliasRow {
  line: number;
  address: string;
  targets: string[];
}

export function addAliasImport(tree: CommandTree, alias: Command, context: Context): void {
  const command = tree
    .add(
      alias,
      'import <file>',
      'make many, or make them anew: lines of "address target, target"; - is standard input',
    )
    .option('--domain <domain>', 'of names that are written without one', once(someText))
    .option('--json', 'print JSON');
  tree.run(command, (options: ImportOptions, file: string) => importAliases(context, options, file));
}

async function importAliases(context: Context, options: ImportOptions, file: string): Promise<ExitCode> {
  const { terminal } = context;
  const rows = readAliases(await readListFile(terminal, file), options.domain);
  const { set, problems } = await withAdmin(context, options, (admin) => setAll(admin, rows));
  if (options.json) printJson(context, { set, problems });
  else terminal.out(`${set} set\n`);
  if (problems.length === 0) return exitCodes.ok;
  const shown = problems.slice(0, maxProblems).join('\n');
  const more = problems.length > maxProblems ? `\nand ${problems.length - maxProblems} more` : '';
  terminal.err(`posthorn: ${file}: these were not set; the others were:\n${shown}${more}\n`);
  return exitCodes.badData;
}

/** Of two lines about one address, the later one counts where it is set. */
export function readAliases(text: string, domain?: string): AliasRow[] {
  const rows: AliasRow[] = [];
  const inDomain = (name: string) =>
    name.includes('@') || domain === undefined ? name : `${name}@${domain}`;
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const isMore = /^\s/.test(line);
    const words = line.split(/[\s,]+/).filter((word) => word !== '');
    const last = rows.at(-1);
    if (isMore && last) last.targets.push(...words.map(inDomain));
    else {
      const [address = '', ...targets] = words;
      rows.push({
        line: index + 1,
        address: inDomain(address.replace(/:$/, '')),
        targets: targets.map(inDomain),
      });
    }
  }
  return rows;
}

/** An alias may lead to one that comes after it: what finds nobody is tried again, as long as others were set meanwhile. */
async function setAll(admin: Admin, rows: readonly AliasRow[]): Promise<{ set: number; problems: string[] }> {
  let waiting = rows;
  let failed: string[] = [];
  for (let before = Number.POSITIVE_INFINITY; waiting.length > 0 && waiting.length < before; ) {
    before = waiting.length;
    failed = [];
    const again: AliasRow[] = [];
    for (const row of waiting) {
      const problem = await setOne(admin, row);
      if (problem === undefined) continue;
      failed.push(problem);
      again.push(row);
    }
    waiting = again;
  }
  return { set: rows.length - waiting.length, problems: failed };
}

async function setOne(admin: Admin, { line, address, targets }: AliasRow): Promise<string | undefined> {
  try {
    await admin.setAlias({ address, targets });
    return undefined;
  } catch (error) {
    const isAboutTheRow =
      error instanceof AdminError &&
      ['bad-request', 'not-our-domain', 'no-such-account', 'exists'].includes(error.code);
    if (!isAboutTheRow) throw error;
    return `line ${line}: ${error.message}`;
  }
}
