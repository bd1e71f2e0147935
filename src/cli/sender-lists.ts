/** `posthorn account block|unblock|allow|unallow`: whose mail a mailbox does not want, or wants. */

import type { Command } from 'commander';
import type { SenderListChange, SenderListsResult } from '../admin/shapes/accounts.ts';
import { printable } from '../dossier/printable.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

const orders = [
  ['block', "take no mail of senders like PATTERN; without one, show the mailbox's lists"],
  ['unblock', 'take PATTERN off the block list'],
  ['allow', 'take mail of senders like PATTERN, if it is proven to be theirs, whatever speaks against it'],
  ['unallow', 'take PATTERN off the allow list'],
] as const;

type Order = (typeof orders)[number][0];

export function addSenderListCommands(tree: CommandTree, context: Context, account: Command): void {
  for (const [order, description] of orders) {
    const isRemoval = order.startsWith('un');
    const usage = `${order} <address> ${isRemoval ? '<patterns...>' : '[patterns...]'}`;
    const command = tree.add(account, usage, description).option('--json', 'print JSON');
    tree.run(command, (options, address: string, patterns: string[]) =>
      change(context, options, { order, address, patterns }),
    );
  }
}

interface Ordered {
  order: Order;
  address: string;
  patterns: string[];
}

async function change(
  context: Context,
  options: CommonOptions,
  { order, address, patterns }: Ordered,
): Promise<ExitCode> {
  const request: SenderListChange = {
    address,
    list: order === 'block' || order === 'unblock' ? 'block' : 'allow',
    ...(order.startsWith('un') ? { remove: patterns } : { add: patterns }),
  };
  const lists = await withAdmin(context, options, (admin) => admin.changeSenderList(request));
  if (options.json) printJson(context, lists);
  else context.terminal.out(`${listsText(lists)}\n`);
  for (const pattern of lists.missing)
    context.terminal.err(`posthorn: ${printable(pattern)} was not on the ${request.list} list\n`);
  return lists.missing.length === 0 ? exitCodes.ok : exitCodes.noInput;
}

function listsText({ block, allow }: Pick<SenderListsResult, 'block' | 'allow'>): string {
  const text = (patterns: readonly string[]) =>
    patterns.length === 0 ? 'nobody' : patterns.map(printable).join('  ');
  return `blocked: ${text(block)}\nallowed: ${text(allow)}`;
}
