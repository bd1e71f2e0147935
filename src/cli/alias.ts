/** `posthorn alias`: addresses that lead to others, and mailing lists. */

import { InvalidArgumentError } from 'commander';
import type { Alias, MailingList } from '../store/account-store.ts';
import { addAliasImport } from './alias-import.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface SetOptions extends CommonOptions {
  owner?: string;
  post?: MailingList['post'];
  name?: string;
}

export function addAliasCommands(tree: CommandTree, context: Context): void {
  const alias = tree.root
    .command('alias')
    .description('let addresses lead to others: posthorn alias info@a.example bob@a.example');
  const { terminal } = context;
  const set = tree
    .add(
      alias,
      'set <address> <targets...>',
      'mail for ADDRESS goes to all TARGETS (the word "set" may be left out)',
      { isDefault: true },
    )
    .option('--owner <address>', 'makes it a mailing list: who hears of what cannot be delivered')
    .option(
      '--post <who>',
      'of a list, who may write to it: anybody, members, domain (default: members)',
      whoPosts,
    )
    .option('--name <name>', 'of a list, its name for people');

  tree.run(set, async ({ owner, post, name, ...options }: SetOptions, address: string, targets: string[]) => {
    if (owner === undefined && (post ?? name) !== undefined)
      throw new CommandError(exitCodes.usage, 'a mailing list has an owner: give --owner ADDRESS.');
    const list =
      owner === undefined
        ? undefined
        : { owner, post: post ?? 'members', ...(name !== undefined && { name }) };
    const wanted: Alias = { address, targets, ...(list && { list }) };
    await withAdmin(context, options, (admin) => admin.setAlias(wanted));
    terminal.out(`${describe(wanted)}\n`);
    return exitCodes.ok;
  });
  addAliasImport(tree, alias, context);
  tree.run(tree.add(alias, 'remove <address>', 'remove an alias'), async (options, address: string) => {
    await withAdmin(context, options, (admin) => admin.removeAlias({ address }));
    terminal.out(`${address}: removed\n`);
    return exitCodes.ok;
  });
  tree.run(tree.add(alias, 'list', 'list all aliases').option('--json', 'print JSON'), (options) =>
    list(context, options),
  );
}

async function list(context: Context, options: CommonOptions): Promise<ExitCode> {
  const aliases = await withAdmin(context, options, (admin) => admin.listAliases());
  if (options.json) printJson(context, aliases);
  else for (const each of aliases) context.terminal.out(`${describe(each)}\n`);
  return exitCodes.ok;
}

const writers: Record<MailingList['post'], string> = {
  anybody: 'anybody may write to it',
  members: 'members may write to it',
  domain: 'our own may write to it',
};

function describe({ address, targets, list }: Alias): string {
  const leads = `${address} → ${targets.join(', ')}`;
  if (!list) return leads;
  const name = list.name === undefined ? '' : `"${list.name}", `;
  return `${leads} (a list: ${name}${writers[list.post]}, errors to ${list.owner})`;
}

function whoPosts(value: string): MailingList['post'] {
  if (value === 'anybody' || value === 'members' || value === 'domain') return value;
  throw new InvalidArgumentError('Say anybody, members or domain.');
}
