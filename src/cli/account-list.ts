/** `posthorn account list`: who has a mailbox here, what is special about it, and how full it is. */

import type { Command } from 'commander';
import type { AccountSummary } from '../admin/shapes/accounts.ts';
import type { DomainConfig } from '../config/receiving.ts';
import { errorCode } from '../store/errors.ts';
import { maildirPath } from '../store/maildir.ts';
import { maildirUsage } from '../store/maildir-usage.ts';
import { describeSettings } from './account-settings.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { formatSize } from './sizes.ts';

interface ListOptions extends CommonOptions {
  usage?: boolean;
  removed?: boolean;
}

/** As it is listed: with how much mail there is, where that was looked for, and how much there may be. */
type Listed = AccountSummary & { usedBytes?: number; quotaBytes?: number };

/** Mailboxes that are measured at once. */
const measuredAtOnce = 8;

export function addListCommand(tree: CommandTree, account: Command, context: Context): void {
  const list = tree
    .add(account, 'list', 'list all accounts, and how full those are that may hold only so much')
    .option('--usage', 'how much mail lies in every one of them')
    .option('--removed', 'only those that were removed, and when they are erased')
    .option('--json', 'print JSON');
  tree.run(list, (options: ListOptions) => print(context, options));
}

async function print(context: Context, { usage, removed, ...options }: ListOptions): Promise<ExitCode> {
  if (removed) return printRemoved(context, options);
  const accounts = await withAdmin(context, options, async (admin, { dataDir, domains }) => {
    const all = (await admin.listAccounts()).map((each) => withQuota(each, domains));
    return measured(all, (each) => usage === true || each.quotaBytes !== undefined, dataDir);
  });
  if (options.json) printJson(context, accounts);
  else for (const each of accounts) context.terminal.out(`${describe(each)}\n`);
  return exitCodes.ok;
}

async function printRemoved(context: Context, options: CommonOptions): Promise<ExitCode> {
  const accounts = await withAdmin(context, options, (admin) => admin.listRemovedAccounts());
  if (options.json) printJson(context, accounts);
  for (const { address, settings } of options.json ? [] : accounts) {
    const { at = 0, eraseAt = 0 } = settings?.removed ?? {};
    const [since, until] = [at, eraseAt].map((moment) => new Date(moment).toISOString());
    context.terminal.out(`${address}  removed ${since}; kept until ${until}\n`);
  }
  return exitCodes.ok;
}

function withQuota(account: AccountSummary, domains: readonly DomainConfig[]): Listed {
  const domain = account.address.slice(account.address.lastIndexOf('@') + 1);
  const quotaBytes = account.settings?.quotaBytes ?? domains.find(({ name }) => name === domain)?.quotaBytes;
  return quotaBytes === undefined ? account : { ...account, quotaBytes };
}

/** Whoever only looks at a running server may not look into mailboxes. */
function unlessForbidden(error: unknown): undefined {
  if (errorCode(error) !== 'EACCES') throw error;
}

async function measured(
  accounts: readonly Listed[],
  isWanted: (account: Listed) => boolean,
  dataDir: string,
): Promise<Listed[]> {
  const all: Listed[] = [];
  for (let start = 0; start < accounts.length; start += measuredAtOnce) {
    const batch = accounts.slice(start, start + measuredAtOnce).map(async (each) => {
      if (!isWanted(each)) return each;
      const usedBytes = await maildirUsage(maildirPath(dataDir, each.address)).catch(unlessForbidden);
      return usedBytes === undefined ? each : { ...each, usedBytes };
    });
    all.push(...(await Promise.all(batch)));
  }
  return all;
}

function describe({
  address,
  createdAt,
  settings = {},
  hasScramKeys,
  usedBytes,
  quotaBytes,
}: Listed): string {
  const { quotaBytes: _, ...others } = settings;
  const special = describeSettings(others);
  const parts = [
    `${address}  since ${new Date(createdAt).toISOString().slice(0, 10)}`,
    ...(usedBytes === undefined ? [] : [usageText(usedBytes, quotaBytes)]),
    ...(special === '' ? [] : [special]),
  ];
  const keys = hasScramKeys ? '' : '  no keys for SCRAM: a login with the password makes them';
  return `${parts.join('; ')}${keys}`;
}

function usageText(usedBytes: number, quotaBytes: number | undefined): string {
  if (quotaBytes === undefined) return `holds ${formatSize(usedBytes)}`;
  return `holds ${formatSize(usedBytes)} of ${formatSize(quotaBytes)} (${Math.floor((100 * usedBytes) / quotaBytes)} %)`;
}
