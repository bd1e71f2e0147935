/** `posthorn receivers`: what was learned of the servers that mail is sent to. */

import type { KnownReceiver } from '../delivery/receivers/receiver-memo.ts';
import { percentile90 } from '../delivery/receivers/receivers.ts';
import { printable } from '../dossier/printable.ts';
import { dayOf, durationOf, plural } from '../dossier/words.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export function addReceiversCommands(tree: CommandTree, context: Context): void {
  const receivers = tree.root
    .command('receivers')
    .description('what was learned of the servers that mail is sent to: greylisting, connections, TLS');
  tree.run(
    tree.add(receivers, 'list', 'list what is remembered, for 30 days').option('--json', 'print JSON'),
    (options) => list(context, options),
  );
  tree.run(
    tree
      .add(receivers, 'reset [site]', 'forget what is remembered of SITE, as "list" names it')
      .option('--all', 'forget everything'),
    (options: CommonOptions & { all?: boolean }, site?: string) => reset(context, options, site),
  );
}

async function list(context: Context, options: CommonOptions): Promise<ExitCode> {
  const known = await withAdmin(context, options, (admin) => admin.listReceivers());
  if (options.json) printJson(context, known);
  else for (const each of known) context.terminal.out(`${lineOf(each)}\n`);
  return exitCodes.ok;
}

function lineOf({ site, source, waitsMs = [], connections, tls, learnedAt }: KnownReceiver): string {
  const wait = percentile90(waitsMs);
  const facts = [
    ...(wait === undefined
      ? []
      : [`greylists for up to ${durationOf(wait)} (${plural(waitsMs.length, 'time')})`]),
    ...(connections === undefined ? [] : [`took ${plural(connections, 'message')} at once`]),
    ...(tls === undefined ? [] : [tls]),
    `last learned of ${dayOf(learnedAt)}`,
  ];
  return printable(`${site}${source === undefined ? '' : `, from ${source}`}: ${facts.join('; ')}`);
}

async function reset(
  context: Context,
  options: CommonOptions & { all?: boolean },
  site: string | undefined,
): Promise<ExitCode> {
  if ((site === undefined) !== (options.all === true))
    throw new CommandError(
      exitCodes.usage,
      'Forget what? Name one site, as "posthorn receivers list" shows it, or give --all.',
    );
  const request = site === undefined ? {} : { site };
  const { count } = await withAdmin(context, options, (admin) => admin.resetReceivers(request));
  if (count === 0 && site !== undefined) {
    context.terminal.err(
      `posthorn: nothing is remembered of ${printable(site)}. What is: posthorn receivers list\n`,
    );
    return exitCodes.noInput;
  }
  context.terminal.out(`${plural(count, 'receiver')} forgotten\n`);
  return exitCodes.ok;
}
