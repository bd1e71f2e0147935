/** `posthorn alias import`: many aliases at once, as other servers have them in a file (alias-rows.ts). */

import type { Command } from 'commander';
import type { Admin } from '../admin/admin.ts';
import { AdminError } from '../admin/admin-error.ts';
import { maxProblems } from './account-rows.ts';
import { type AliasRow, findForeign, readAliases } from './alias-rows.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { readListFile } from './list-file.ts';
import { once, someText } from './texts.ts';

interface ImportOptions extends CommonOptions {
  domain?: string;
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
async function setAll(admin: Admin, rows: readonly AliasRow[]): Promise<{ set: number; problems: string[] }> {
  const failed = new Map<AliasRow, string>();
  for (const row of targetsFirst(rows)) {
    const problem = findForeign(row) ?? (await setOne(admin, row));
    if (problem !== undefined) failed.set(row, problem);
  }
  return { set: rows.length - failed.size, problems: problemLines(rows, failed) };
}

/** An alias may lead to one that comes after it in the file, which has to be there first. Of a circle, one is left before its target. */
export function targetsFirst(rows: readonly AliasRow[]): AliasRow[] {
  const byAddress = Map.groupBy(rows, ({ address }) => address.toLowerCase());
  const leadsTo = ({ targets }: AliasRow) =>
    targets.flatMap((target) => byAddress.get(target.toLowerCase()) ?? []);
  const seen = new Set<AliasRow>();
  const ordered: AliasRow[] = [];
  for (const first of rows) {
    // By hand, not by calls: a chain may be longer than the stack.
    const path = seen.has(first) ? [] : [{ row: first, next: leadsTo(first).values() }];
    seen.add(first);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const { value: row } = at.next.next();
      if (row === undefined) {
        ordered.push(at.row);
        path.pop();
      } else if (!seen.has(row)) {
        seen.add(row);
        path.push({ row, next: leadsTo(row).values() });
      }
    }
  }
  return ordered;
}

/** What leads to a line that was not set is told of that line: there is no account to make. */
function problemLines(rows: readonly AliasRow[], failed: ReadonlyMap<AliasRow, string>): string[] {
  const unset = new Map([...failed.keys()].map(({ address, line }) => [address.toLowerCase(), line]));
  return rows.flatMap((row) => {
    const problem = failed.get(row);
    if (problem === undefined) return [];
    const next = row.targets.find((target) => unset.has(target.toLowerCase()));
    const text = next && `leads to ${next}, which was not set either (line ${unset.get(next.toLowerCase())})`;
    return [`line ${row.line}: ${text || problem}`];
  });
}

async function setOne(admin: Admin, { address, targets }: AliasRow): Promise<string | undefined> {
  try {
    await admin.setAlias({ address, targets });
    return undefined;
  } catch (error) {
    const isAboutTheRow =
      error instanceof AdminError &&
      ['bad-request', 'not-our-domain', 'no-such-account', 'exists'].includes(error.code);
    if (!isAboutTheRow) throw error;
    return error.message;
  }
}
