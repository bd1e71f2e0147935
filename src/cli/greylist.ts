/** `posthorn greylist`: who was asked to come again, who has, and who need not. */

import { printable } from '../dossier/printable.ts';
import { durationOf, plural } from '../dossier/words.ts';
import type { GreylistEntry } from '../reception/greylist/greylist.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { operatorName } from './operator-name.ts';
import { once, reasonText } from './texts.ts';

export function addGreylistCommands(tree: CommandTree, context: Context): void {
  const group = tree.root
    .command('greylist')
    .description('strangers who were asked to come again, and who need not (where a policy greylists)');
  tree.run(
    tree
      .add(group, 'list', 'list all that is remembered', { isDefault: true })
      .option('--json', 'print JSON'),
    (options) => list(context, options),
  );
  tree.run(
    tree
      .add(
        group,
        'allow <name>',
        'never ask this network or domain: 192.0.2.0/24, 2001:db8::/64, example.org',
      )
      .option('--reason <text>', 'for whoever lists it', once(reasonText))
      .option('--json', 'print JSON'),
    (options: CommonOptions & { reason?: string }, name: string) => allow(context, options, name),
  );
  tree.run(
    tree
      .add(group, 'remove <name>', 'forget all about this network or domain, as "list" shows it')
      .option('--json', 'print JSON'),
    (options, name: string) => remove(context, options, name),
  );
}

/** Entries that are asked for at once. */
const pageSize = 1000;

async function list(context: Context, options: CommonOptions): Promise<ExitCode> {
  const entries = await withAdmin(context, options, async (admin) => {
    const all: GreylistEntry[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page = await admin.listGreylist({ after, limit: pageSize });
      all.push(...page.entries);
      after = page.next;
    }
    return all;
  });
  const { terminal, clock } = context;
  if (options.json) printJson(context, entries);
  else if (entries.length === 0) terminal.out('Nobody was asked to come again.\n');
  else for (const entry of entries) terminal.out(`${printable(lineOf(entry, clock.now()))}\n`);
  return exitCodes.ok;
}

function lineOf(entry: GreylistEntry, now: number): string {
  switch (entry.state) {
    case 'allowed':
      return `${entry.name}  need not wait, by ${entry.by}${entry.reason === undefined ? '' : `: ${entry.reason}`}`;
    case 'known': {
      const { network, domain, passes, isFree, isProven, lastAt } = entry;
      const why = isProven
        ? "its mail is proven to be the domain's"
        : `${plural(passes, 'recipient')} so far`;
      return `${network}  ${domain}  ${isFree ? 'need not wait' : 'has passed'} (${why}; last ${durationOf(now - lastAt)} ago)`;
    }
    case 'waiting': {
      const { network, domain, recipient, attempts, firstAt, passedAt } = entry;
      const state =
        passedAt === undefined
          ? `asked to come again (${plural(attempts, 'attempt')}, the first ${durationOf(now - firstAt)} ago)`
          : `has passed, after ${durationOf(passedAt - firstAt)}`;
      return `${network}  ${domain || '<>'}  ${recipient}  ${state}`;
    }
  }
}

async function allow(
  context: Context,
  options: CommonOptions & { reason?: string },
  name: string,
): Promise<ExitCode> {
  const { terminal } = context;
  const reason = options.reason === undefined ? {} : { reason: options.reason };
  const allowed = await withAdmin(context, options, (admin) =>
    admin.allowGreylist({ name, by: operatorName(terminal.env), ...reason }),
  );
  if (options.json) printJson(context, allowed);
  else terminal.out(`${allowed.name} need not wait from now on\n`);
  return exitCodes.ok;
}

async function remove(context: Context, options: CommonOptions, name: string): Promise<ExitCode> {
  const { terminal } = context;
  const { count } = await withAdmin(context, options, (admin) => admin.removeGreylist({ name }));
  if (options.json) printJson(context, { count });
  else if (count > 0) terminal.out(`${plural(count, 'line')} of the list forgotten\n`);
  if (count > 0) return exitCodes.ok;
  terminal.err(`posthorn: nothing is remembered of ${printable(name)}. What is: posthorn greylist list\n`);
  return exitCodes.noInput;
}
