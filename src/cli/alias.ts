/** `posthorn alias`: addresses that lead to others. */

import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export function addAliasCommands(tree: CommandTree, context: Context): void {
  const alias = tree.root
    .command('alias')
    .description('let addresses lead to others: posthorn alias info@a.example bob@a.example');
  const { terminal } = context;

  tree.run(
    tree.add(
      alias,
      'set <address> <targets...>',
      'mail for ADDRESS goes to all TARGETS (the word "set" may be left out)',
      {
        isDefault: true,
      },
    ),
    async (options, address: string, targets: string[]) => {
      await withAdmin(context, options, (admin) => admin.setAlias({ address, targets }));
      terminal.out(`${address} → ${targets.join(', ')}\n`);
      return exitCodes.ok;
    },
  );
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
  else
    for (const { address, targets } of aliases) context.terminal.out(`${address} → ${targets.join(', ')}\n`);
  return exitCodes.ok;
}
