/** `posthorn account suspend`, `resume` and `app-password`: who may log in to an account, and with what. */

import { type Command, Option } from 'commander';
import type { AppPasswordSummary } from '../admin/shapes/accounts.ts';
import { printable } from '../dossier/printable.ts';
import type { Scope } from '../store/app-passwords.ts';
import { keyOf } from './address-key.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { once, someText } from './texts.ts';

interface AddOptions extends CommonOptions {
  name: string;
  for: Scope;
}

const scopeTexts: Record<Scope, string> = {
  submission: 'sends',
  pop3: 'fetches',
  both: 'sends and fetches',
};

export function addAccessCommands(tree: CommandTree, account: Command, context: Context): void {
  const suspend = tree
    .add(account, 'suspend <address>', 'nobody logs in to it, and open sessions end; mail is kept for it')
    .option('--refuse-mail', 'and nobody can send to it')
    .option('--json', 'print JSON');
  tree.run(suspend, (options: CommonOptions & { refuseMail?: boolean }, address: string) =>
    suspendAccount(context, options, address),
  );
  const resume = tree
    .add(account, 'resume <address>', 'its user logs in again')
    .option('--json', 'print JSON');
  tree.run(resume, (options, address: string) => resumeAccount(context, options, address));
  addAppPasswordCommands(tree, account, context);
}

function addAppPasswordCommands(tree: CommandTree, account: Command, context: Context): void {
  const appPassword = account
    .command('app-password')
    .description('passwords for one mail program each, which can be revoked alone');
  const named = (usage: string, description: string) =>
    tree
      .add(appPassword, usage, description)
      .requiredOption('--name <name>', 'what it is for, such as "phone"', once(someText));

  const add = named('add <address>', 'make one, and print it: nobody can see it again')
    .addOption(
      new Option('--for <service>', 'what it opens').choices(['submission', 'pop3', 'both']).default('both'),
    )
    .option('--json', 'print JSON');
  tree.run(add, (options: AddOptions, address: string) => addOne(context, options, address));
  const list = tree
    .add(appPassword, 'list <address>', 'which there are, and when each was used last, to the hour')
    .option('--json', 'print JSON');
  tree.run(list, (options, address: string) => listAll(context, options, address));
  const remove = named('remove <address>', 'revoke one; what it has opened ends').option(
    '--json',
    'print JSON',
  );
  tree.run(remove, (options: AddOptions, address: string) => removeOne(context, options, address));
}

async function suspendAccount(
  context: Context,
  { refuseMail = false, ...options }: CommonOptions & { refuseMail?: boolean },
  address: string,
): Promise<ExitCode> {
  await withAdmin(context, options, (admin) => admin.suspendAccount({ address, refusesMail: refuseMail }));
  if (options.json) printJson(context, { address: keyOf(address), refusesMail: refuseMail });
  else
    context.terminal.out(
      `${keyOf(address)}: suspended; mail for it is ${refuseMail ? 'refused' : 'still taken in'}. To end that: posthorn account resume ${keyOf(address)}\n`,
    );
  return exitCodes.ok;
}

async function resumeAccount(context: Context, options: CommonOptions, address: string): Promise<ExitCode> {
  const { resumed } = await withAdmin(context, options, (admin) => admin.resumeAccount({ address }));
  if (options.json) printJson(context, { address: keyOf(address), resumed });
  else context.terminal.out(`${keyOf(address)}: ${resumed ? 'resumed' : 'was not suspended'}\n`);
  return exitCodes.ok;
}

async function addOne(
  context: Context,
  { name, for: scope, ...options }: AddOptions,
  address: string,
): Promise<ExitCode> {
  const { password } = await withAdmin(context, options, (admin) =>
    admin.addAppPassword({ address, name, scope }),
  );
  if (options.json) printJson(context, { address: keyOf(address), name, scope, password });
  else context.terminal.out(`${password}\n`);
  return exitCodes.ok;
}

async function listAll(context: Context, options: CommonOptions, address: string): Promise<ExitCode> {
  const all = await withAdmin(context, options, (admin) => admin.listAppPasswords({ address }));
  if (options.json) printJson(context, all);
  else if (all.length === 0) context.terminal.out(`${keyOf(address)} has no app passwords.\n`);
  else for (const each of all) context.terminal.out(`${lineOf(each)}\n`);
  return exitCodes.ok;
}

function lineOf({ name, scope, createdAt, usedAt }: AppPasswordSummary): string {
  const used = usedAt === undefined ? 'never used' : `used ${hourOf(usedAt)}`;
  return printable(`${name}  ${scopeTexts[scope]}; since ${hourOf(createdAt).slice(0, 10)}; ${used}`);
}

/** It is not known any better. */
const hourOf = (at: number): string => `${new Date(at).toISOString().slice(0, 13).replace('T', ' ')}h UTC`;

async function removeOne(
  context: Context,
  { name, ...options }: AddOptions,
  address: string,
): Promise<ExitCode> {
  const { removed } = await withAdmin(context, options, (admin) =>
    admin.removeAppPassword({ address, name }),
  );
  if (options.json) printJson(context, { address: keyOf(address), name, removed });
  if (!removed) {
    const which = `posthorn account app-password list ${keyOf(address)}`;
    context.terminal.err(
      `posthorn: ${keyOf(address)} has no app password ${JSON.stringify(name)}. Which there are: ${which}\n`,
    );
    return exitCodes.noInput;
  }
  if (!options.json) context.terminal.out(`${keyOf(address)}: "${printable(name)}" opens nothing any more\n`);
  return exitCodes.ok;
}
