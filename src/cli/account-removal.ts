/** `posthorn account remove` and `restore`: nothing is lost by a slip. */

import type { Command } from 'commander';
import type { Alias } from '../store/account-store.ts';
import { keyOf } from './address-key.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface RemoveOptions extends CommonOptions {
  now?: boolean;
  asUnknown?: boolean;
}

export function addRemovalCommands(tree: CommandTree, account: Command, context: Context): void {
  const remove = tree
    .add(
      account,
      'remove <address>',
      'remove an account; it can be restored until it is erased, with its mail and its dossiers',
    )
    .option('--now', 'erase it at once: nobody can bring it back')
    .option('--as-unknown', 'tell senders that there is no such user, not that it takes no mail')
    .option('--json', 'print JSON');
  tree.run(remove, (options: RemoveOptions, address: string) => removeAccount(context, options, address));
  const restore = tree
    .add(account, 'restore <address>', 'have an account back that was removed, with all that it had')
    .option('--json', 'print JSON');
  tree.run(restore, (options, address: string) => restoreAccount(context, options, address));
}

async function removeAccount(
  context: Context,
  { now, asUnknown, ...options }: RemoveOptions,
  address: string,
): Promise<ExitCode> {
  if (now && asUnknown)
    throw new CommandError(
      exitCodes.usage,
      'with --now nobody is there to be told of: leave --as-unknown out.',
    );
  const account = keyOf(address);
  const { eraseAt, aliases } = await withAdmin(context, options, async (admin) => ({
    ...(await admin.removeAccount({ address, ...(now && { now }), ...(asUnknown && { isUnknown: true }) })),
    aliases: aliasesTo(account, await admin.listAliases()),
  }));
  if (options.json) printJson(context, { address: account, eraseAt, erased: now === true, aliases });
  else if (now) context.terminal.out(`${account}: erased, with its mail and its dossiers\n`);
  else
    context.terminal.out(
      `${account}: removed. Its mail and its dossiers are kept until ${new Date(eraseAt).toISOString()}; ` +
        `to have it back: posthorn account restore ${account}\n`,
    );
  if (!options.json && aliases.length > 0)
    context.terminal.out(
      `  Mail for ${aliases.join(', ')} led to nobody else, and is refused now. To have another take it: posthorn alias ADDRESS TARGET\n`,
    );
  return exitCodes.ok;
}

/** Aliases that lead to this account alone, also by others that do. */
export function aliasesTo(account: string, all: readonly Alias[]): string[] {
  const lost = new Set([account]);
  for (let before = 0; before < lost.size; ) {
    before = lost.size;
    for (const { address, targets } of all)
      if (targets.length > 0 && targets.every((target) => lost.has(target))) lost.add(address);
  }
  lost.delete(account);
  return [...lost];
}

async function restoreAccount(context: Context, options: CommonOptions, address: string): Promise<ExitCode> {
  await withAdmin(context, options, (admin) => admin.restoreAccount({ address }));
  if (options.json) printJson(context, { address: keyOf(address) });
  else context.terminal.out(`${keyOf(address)}: restored, with all that it had\n`);
  return exitCodes.ok;
}
