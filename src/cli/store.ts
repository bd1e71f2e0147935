/** `posthorn store`: what to do about a damaged store. With the server down; nothing here opens a store that is damaged. */

import { join, resolve } from 'node:path';
import { plural } from '../dossier/words.ts';
import { namesIn } from '../store/names-in.ts';
import type { Finding } from '../store/sqlite/check/check.ts';
import type { RestoreReport } from '../store/sqlite/salvage/restore.ts';
import type { SalvageReport } from '../store/sqlite/salvage/salvage.ts';
import type { Clock } from '../util/clock.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { refuseWhileServed } from './served.ts';

interface SalvageOptions extends CommonOptions {
  to: string;
}

export function addStoreCommands(tree: CommandTree, context: Context): void {
  const store = tree.root
    .command('store')
    .description('check the data for damage, and bring out what can be read');
  tree.run(
    tree.add(store, 'check', 'look for damage, with the server down').option('--json', 'print JSON'),
    (options) => check(context, options),
  );
  tree.run(
    tree
      .add(store, 'salvage', 'bring out what can be read; the store itself is left as it is')
      .requiredOption('--to <directory>', 'a new or empty directory')
      .option('--json', 'print JSON'),
    (options: SalvageOptions) => salvage(context, options),
  );
  tree.run(
    tree
      .add(store, 'restore <directory>', 'take what was salvaged into this store, with the server down')
      .option('--json', 'print JSON'),
    (options, directory: string) => restore(context, options, directory),
  );
}

async function check(context: Context, options: CommonOptions): Promise<ExitCode> {
  const { dataDir } = await configOf(context, options);
  const { checkStore } = await import('../store/sqlite/check/check.ts');
  const findings = await offline(dataDir, () => checkStore(dataDir));
  if (options.json) printJson(context, findings);
  else printFindings(context, dataDir, findings);
  const has = (severity: Finding['severity']) => findings.some((finding) => finding.severity === severity);
  return has('error') ? exitCodes.damaged : has('unchecked') ? exitCodes.inputOutput : exitCodes.ok;
}

/** Only these commands need what reads damaged files. */
async function offline<T>(dataDir: string, action: () => Promise<T>): Promise<T> {
  await refuseWhileServed(dataDir);
  const { hasStore, whileOffline } = await import('../store/sqlite/offline.ts');
  if (!hasStore(dataDir))
    throw new CommandError(
      exitCodes.noInput,
      `there is no store in ${dataDir}. Check dataDir in the configuration.`,
    );
  return whileOffline(dataDir, action);
}

function printFindings({ terminal }: Context, dataDir: string, findings: readonly Finding[]): void {
  for (const { severity, file, page, table, queueId, what } of findings) {
    const subject = [
      page === undefined ? '' : `page ${page} `,
      table === undefined ? '' : `(${table}) `,
      queueId === undefined ? '' : `message ${queueId} `,
    ];
    terminal.out(`${severity}: ${file}: ${subject.join('')}${what}\n`);
  }
  const count = (wanted: Finding['severity']) =>
    findings.filter(({ severity }) => severity === wanted).length;
  const errors = count('error');
  if (findings.length === 0) terminal.out(`Nothing is wrong with ${dataDir}.\n`);
  else terminal.out(`${plural(errors, 'error')}, ${plural(count('warning'), 'warning')}\n`);
  if (count('unchecked') > 0) terminal.err('Not everything was looked at.\n');
  if (errors > 0) terminal.err('To bring out what can be read: posthorn store salvage --to DIRECTORY\n');
}

async function salvage(context: Context, options: SalvageOptions): Promise<ExitCode> {
  const { dataDir } = await configOf(context, options);
  const to = resolve(context.terminal.cwd, options.to);
  if ((await namesIn(to)).length > 0)
    throw new CommandError(exitCodes.cantCreate, `${to} is not empty. Choose a new directory.`);
  const { salvageStore } = await import('../store/sqlite/salvage/salvage.ts');
  const report = await offline(dataDir, () => salvageStore(dataDir, to));
  if (options.json) printJson(context, report);
  else printSalvage(context, report, { dataDir, to });
  const { damaged, lost, mayLackMore } = report;
  return damaged.length + lost.length + mayLackMore.length > 0 ? exitCodes.damaged : exitCodes.ok;
}

function printSalvage(
  { terminal }: Context,
  report: SalvageReport,
  { dataDir, to }: { dataDir: string; to: string },
): void {
  const line = (text: string) => terminal.out(`${text}\n`);
  const list = (ids: readonly string[], text: string) => {
    if (ids.length > 0) line(`  ${plural(ids.length, 'message')} ${text}: ${ids.join(' ')}`);
  };
  for (const damage of report.damage) line(damage);
  line(`${plural(report.messages, 'message')} brought out, octet for octet, to ${join(to, 'messages')}`);
  list(report.withoutRecipients, 'of them without recipients, which are lost');
  list(report.doubtful, 'of them with doubts, which stand in their .json');
  list(report.damaged, `only in part, in ${join(to, 'damaged')}`);
  list(
    report.lost.map(({ queueId }) => queueId),
    `lost; their recipients stand in ${join(to, 'report.json')}`,
  );
  if (report.mayLackMore.length > 0)
    line('  an unknown number of others, the newest most likely, may be lost without a trace:');
  for (const reason of report.mayLackMore) line(`    ${reason}`);
  if (report.orphans.length > 0)
    line(
      `  ${plural(report.orphans.length, 'large content')} of which no message is known, in ${join(to, 'orphans')}`,
    );
  line(`${plural(report.accounts, 'account')} and ${aliasesIn(report)} brought out`);
  for (const address of report.doubtfulAddresses) line(`  look at ${address}: its page is damaged`);
  line(
    `To go on with a new store: move ${join(dataDir, 'store')} and ${join(dataDir, 'spool')} away, then posthorn store restore ${to}`,
  );
}

const aliasesIn = ({ aliases }: { aliases: number }): string =>
  `${aliases} ${aliases === 1 ? 'alias' : 'aliases'}`;

async function restore(context: Context, options: CommonOptions, directory: string): Promise<ExitCode> {
  const { dataDir } = await configOf(context, options);
  const from = resolve(context.terminal.cwd, directory);
  const report = await restoreInto(dataDir, from, context.clock);
  if (options.json) printJson(context, report);
  else printRestored(context, report);
  return report.damaged.length > 0 ? exitCodes.damaged : exitCodes.ok;
}

/** Into the store of this data directory, which is made if there is none. */
async function restoreInto(dataDir: string, from: string, clock: Clock): Promise<RestoreReport> {
  const { openStore } = await import('../store/sqlite/open.ts');
  const { restoreAll, SalvageFormatError } = await import('../store/sqlite/salvage/restore.ts');
  await refuseWhileServed(dataDir);
  // That there was a store is why this is called.
  const store = await openStore({ dataDir, clock, afresh: true });
  try {
    return await restoreAll({ store, from });
  } catch (error) {
    if (error instanceof SalvageFormatError) throw new CommandError(exitCodes.badData, error.message);
    throw error;
  } finally {
    await store.close();
  }
}

function printRestored({ terminal }: Context, { messages, accounts, aliases, skipped }: RestoreReport): void {
  for (const { what, why } of skipped) terminal.out(`${what} was left out: ${why}\n`);
  terminal.out(
    `${plural(messages, 'message')}, ${plural(accounts, 'account')} and ${aliasesIn({ aliases })} restored\n`,
  );
}
