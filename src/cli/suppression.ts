/** `posthorn suppression`: addresses elsewhere that nobody has, and to which our users' mail is refused. */

import { Option } from 'commander';
import type { Admin } from '../admin/admin.ts';
import { printable } from '../dossier/printable.ts';
import { durationOf, plural } from '../dossier/words.ts';
import type { Suppression } from '../queue/suppressions.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { duration } from './durations.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { operatorName } from './operator-name.ts';
import { once, reasonText } from './texts.ts';

interface AddOptions extends CommonOptions {
  for: number;
  reason?: string;
}

const day = 24 * 3600_000;
/** An operator's word without `--for`. */
const addedMs = 365 * day;
/** Addresses that are asked for at once. */
const pageSize = 1000;

export function addSuppressionCommands(tree: CommandTree, context: Context): void {
  const group = tree.root
    .command('suppression')
    .description("addresses elsewhere that nobody has: our users' mail to them is refused");
  tree.run(
    tree
      .add(group, 'list', 'list them, with those that were refused but are not suppressed yet')
      .option('--json', 'print JSON'),
    (options) => list(context, options),
  );
  tree.run(
    tree.add(group, 'show <address>', 'what is known of an address, and why').option('--json', 'print JSON'),
    (options, address: string) => show(context, options, address),
  );
  tree.run(
    tree
      .add(group, 'add <address>', "refuse our users' mail to this address")
      .addOption(
        new Option('--for <time>', 'how long: 12h, 30d').default(addedMs, 'a year').argParser(duration),
      )
      .option('--reason <text>', 'they are told', once(reasonText))
      .option('--json', 'print JSON'),
    (options: AddOptions, address: string) => add(context, options, address),
  );
  tree.run(
    tree.add(group, 'remove <address>', 'forget what is known of an address').option('--json', 'print JSON'),
    (options, address: string) => remove(context, options, address),
  );
}

async function list(context: Context, options: CommonOptions): Promise<ExitCode> {
  const suppressions = await withAdmin(context, options, readAll);
  const { terminal, clock } = context;
  if (options.json) printJson(context, suppressions);
  else if (suppressions.length === 0) terminal.out('No address has been refused.\n');
  else for (const one of suppressions) terminal.out(`${lineOf(one, clock.now())}\n`);
  return exitCodes.ok;
}

async function readAll(admin: Admin): Promise<Suppression[]> {
  const all: Suppression[] = [];
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const page = await admin.listSuppressions({ limit: pageSize, ...(after !== undefined && { after }) });
    all.push(...page.suppressions);
    after = page.next;
  }
  return all;
}

async function show(context: Context, options: CommonOptions, address: string): Promise<ExitCode> {
  const { suppression } = await withAdmin(context, options, (admin) => admin.findSuppression({ address }));
  const { terminal, clock } = context;
  if (options.json) printJson(context, suppression ?? null);
  if (suppression === undefined) return unknown(context, address);
  if (!options.json) {
    terminal.out(`${lineOf(suppression, clock.now())}\n`);
    for (const line of evidenceOf(suppression, clock.now())) terminal.out(`    ${printable(line)}\n`);
  }
  return exitCodes.ok;
}

function evidenceOf({ failures, firstAt, lastAt, reply, queueId }: Suppression, now: number): string[] {
  if (failures === 0) return [];
  const times = `${plural(failures, 'refusal')}, the first ${durationOf(now - firstAt)} ago, the last ${durationOf(now - lastAt)} ago`;
  return [
    times,
    ...(reply === undefined ? [] : [`its server said: ${reply}`]),
    ...(queueId === undefined ? [] : [`to message ${queueId}: posthorn trace ${queueId}`]),
  ];
}

async function add(context: Context, options: AddOptions, address: string): Promise<ExitCode> {
  const { terminal, clock } = context;
  const suppression = await withAdmin(context, options, (admin) =>
    admin.addSuppression({
      address,
      until: clock.now() + options.for,
      by: operatorName(terminal.env),
      ...(options.reason !== undefined && { reason: options.reason }),
    }),
  );
  if (options.json) printJson(context, suppression);
  else terminal.out(`${lineOf(suppression, clock.now())}\n`);
  return exitCodes.ok;
}

async function remove(context: Context, options: CommonOptions, address: string): Promise<ExitCode> {
  const by = operatorName(context.terminal.env);
  const { removed } = await withAdmin(context, options, (admin) => admin.removeSuppression({ address, by }));
  if (options.json) printJson(context, { removed });
  if (!removed) return unknown(context, address);
  if (!options.json) context.terminal.out(`${printable(address)} may be written to again\n`);
  return exitCodes.ok;
}

function unknown({ terminal }: Context, address: string): ExitCode {
  terminal.err(`posthorn: nothing is known of ${printable(address)}. What is: posthorn suppression list\n`);
  return exitCodes.noInput;
}

function lineOf({ address, refusedUntil = 0, by, reason, failures }: Suppression, now: number): string {
  const state =
    refusedUntil > now ? `refused for another ${durationOf(refusedUntil - now)}` : 'not refused so far';
  const why =
    by === undefined
      ? `${plural(failures, 'time')} no such user`
      : `by ${by}${reason === undefined ? '' : `: ${reason}`}`;
  return printable(`${address}  ${state}  (${why})`);
}
