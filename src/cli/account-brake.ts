/** `posthorn account braked` and `release`: accounts that sent more than is usual of them. */

import type { Command } from 'commander';
import { printable } from '../dossier/printable.ts';
import { durationOf, plural } from '../dossier/words.ts';
import { type Braked, reasonOf } from '../queue/brake/braked.ts';
import { keyOf } from './address-key.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { operatorName } from './operator-name.ts';

interface ReleaseOptions extends CommonOptions {
  drop?: boolean;
}

export function addBrakeCommands(tree: CommandTree, context: Context, account: Command): void {
  tree.run(
    tree
      .add(account, 'braked', 'accounts whose mail is held, since they sent more than is usual of them')
      .option('--json', 'print JSON'),
    (options) => list(context, options),
  );
  tree.run(
    tree
      .add(account, 'release <address>', 'send what is held of an account, and hold no more of it')
      .option('--drop', 'take it out of the queue instead: it was not the user')
      .option('--json', 'print JSON'),
    (options: ReleaseOptions, address: string) => release(context, options, address),
  );
}

async function list(context: Context, options: CommonOptions): Promise<ExitCode> {
  const braked = await withAdmin(context, options, (admin) => admin.listBraked());
  const { terminal, clock } = context;
  if (options.json) printJson(context, braked);
  else if (braked.length === 0) terminal.out('No account is braked.\n');
  else for (const each of braked) terminal.out(`${linesOf(each, clock.now()).join('\n')}\n`);
  return exitCodes.ok;
}

function linesOf(braked: Braked, now: number): string[] {
  const { account, at, clients, appPasswords = [], recipients, held } = braked;
  const from = clients.map(([address, count]) => `${address} (${count})`).join(', ');
  const by = appPasswords.map(([name, count]) => `"${name}" (${count})`).join(', ');
  return [
    `${account}  held for ${durationOf(now - at)}: ${reasonOf(braked)}`,
    `    ${plural(held, 'recipient')} held since; it came from ${from || 'nowhere known'}`,
    ...(by === '' ? [] : [`    by app passwords: ${by}`]),
    ...(recipients.length === 0 ? [] : [`    some of them: ${recipients.join(', ')}`]),
  ].map(printable);
}

async function release(context: Context, options: ReleaseOptions, address: string): Promise<ExitCode> {
  const { terminal } = context;
  const by = operatorName(terminal.env);
  const { drop = false } = options;
  const { braked, count } = await withAdmin(context, options, (admin) =>
    admin.releaseAccount({ address, by, drop }),
  );
  if (options.json) printJson(context, { count, wasBraked: braked !== undefined });
  if (braked === undefined && count === 0) {
    terminal.err(`posthorn: ${printable(address)} is not braked. Who is: posthorn account braked\n`);
    return exitCodes.noInput;
  }
  const what = drop ? 'taken out of the queue' : 'on their way';
  if (!options.json)
    terminal.out(`${printable(keyOf(address))}: released; ${plural(count, 'recipient')} ${what}\n`);
  return exitCodes.ok;
}
