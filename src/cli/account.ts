/** `posthorn account`: who has a mailbox here. */

import type { Admin } from '../admin/admin.ts';
import { generatePassword } from '../admin/generate-password.ts';
import { addAccessCommands } from './account-access.ts';
import { addBrakeCommands } from './account-brake.ts';
import { addImportCommand } from './account-import.ts';
import { addListCommand } from './account-list.ts';
import { addRemovalCommands } from './account-removal.ts';
import { addSettingsCommands } from './account-settings.ts';
import { keyOf } from './address-key.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { addSenderListCommands } from './sender-lists.ts';

interface PasswordOptions extends CommonOptions {
  passwordStdin?: boolean;
  generate?: boolean;
}

const maxPasswordInput = 64 * 1024;
/** Of a password that a person chooses; shorter ones are tried through in days (NIST SP 800-63B §5.1.1). */
const leastPasswordLength = 8;

export function addAccountCommands(tree: CommandTree, context: Context): void {
  const account = tree.root.command('account').description('make, list, change and remove accounts');
  const withPassword = (usage: string, description: string) =>
    tree
      .add(account, usage, description)
      .option('--password-stdin', 'read the password from the first line of standard input')
      .option('--generate', 'make a password and print it')
      .option('--json', 'print JSON');

  tree.run(withPassword('add <address>', 'make an account'), (options: PasswordOptions, address: string) =>
    setSecret(context, options, address, (admin, password) => admin.addAccount({ address, password })),
  );
  tree.run(
    withPassword('passwd <address>', 'change the password'),
    (options: PasswordOptions, address: string) =>
      setSecret(context, options, address, (admin, password) => admin.setPassword({ address, password })),
  );
  addImportCommand(tree, account, context);
  addListCommand(tree, account, context);
  addSenderListCommands(tree, context, account);
  addSettingsCommands(tree, account, context);
  addBrakeCommands(tree, context, account);
  addAccessCommands(tree, account, context);
  addRemovalCommands(tree, account, context);
}

async function setSecret(
  context: Context,
  options: PasswordOptions,
  address: string,
  apply: (admin: Admin, password: string) => Promise<void>,
): Promise<ExitCode> {
  const password = await choosePassword(context, options);
  await withAdmin(context, options, (admin) => apply(admin, password));
  const shown = options.generate ? { password } : {};
  const account = keyOf(address);
  if (options.json) printJson(context, { address: account, ...shown });
  else context.terminal.out(options.generate ? `${account} ${password}\n` : `${account}: done\n`);
  return exitCodes.ok;
}

async function choosePassword(context: Context, options: PasswordOptions): Promise<string> {
  if (options.generate) return generatePassword();
  const password = await readPassword(context, options);
  if ([...password].length >= leastPasswordLength || password === '') return password; // of none the server tells
  throw new CommandError(
    exitCodes.usage,
    `the password has fewer than ${leastPasswordLength} characters. Take a longer one, or have one made: --generate.`,
  );
}

async function readPassword({ terminal }: Context, { passwordStdin }: PasswordOptions): Promise<string> {
  if (passwordStdin) {
    const input = await terminal.readInput(maxPasswordInput);
    return input.toString('utf8').split(/\r?\n/, 1)[0] ?? '';
  }
  if (!terminal.inIsTty) {
    throw new CommandError(
      exitCodes.usage,
      'where does the password come from? Use --password-stdin or --generate.',
    );
  }
  const password = await terminal.askSecret('Password: ');
  if ((await terminal.askSecret('Once more: ')) === password) return password;
  throw new CommandError(exitCodes.usage, 'the two passwords differ. Nothing was changed.');
}
