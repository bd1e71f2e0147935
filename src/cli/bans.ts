/** `posthorn bans`: who may not connect for a while, and why. */

import { Option } from 'commander';
import { printable } from '../dossier/printable.ts';
import { durationOf, plural } from '../dossier/words.ts';
import type { Ban } from '../reception/abuse/bans.ts';
import type { AbuseCounts } from '../reception/abuse/defence.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { duration } from './durations.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { operatorName } from './operator-name.ts';
import { once, reasonText } from './texts.ts';

interface AddOptions extends CommonOptions {
  for?: number;
  reason?: string;
}

export function addBanCommands(tree: CommandTree, context: Context): void {
  const group = tree.root
    .command('bans')
    .description('clients and networks that may not connect for a while');
  tree.run(
    tree
      .add(group, 'list', 'list them, and how many connections were refused', { isDefault: true })
      .option('--json', 'print JSON'),
    (options) => list(context, options),
  );
  tree.run(
    tree
      .add(
        group,
        'add <network>',
        'ban an address, or a block of them: 192.0.2.1, 192.0.2.0/24, 2001:db8::/32',
      )
      .addOption(
        new Option('--for <time>', 'it ends by itself: 12h, 30d (default: when it is lifted)').argParser(
          once(duration),
        ),
      )
      .option('--reason <text>', 'the client is told', once(reasonText))
      .option('--json', 'print JSON'),
    (options: AddOptions, network: string) => add(context, options, network),
  );
  tree.run(
    tree.add(group, 'lift <network>', 'end a ban, and forget what led to it').option('--json', 'print JSON'),
    (options, network: string) => lift(context, options, network),
  );
}

async function list(context: Context, options: CommonOptions): Promise<ExitCode> {
  const { bans, counts } = await withAdmin(context, options, (admin) => admin.listBans());
  const { terminal, clock } = context;
  if (options.json) {
    printJson(context, { bans, ...(counts && { counts }) });
    return exitCodes.ok;
  }
  if (bans.length === 0) terminal.out('Nobody is banned.\n');
  for (const ban of bans) terminal.out(`${lineOf(ban, clock.now())}\n`);
  if (counts) terminal.out(`${countLines(counts, clock.now()).join('\n')}\n`);
  return exitCodes.ok;
}

async function add(context: Context, options: AddOptions, network: string): Promise<ExitCode> {
  const { terminal, clock } = context;
  const ban = await withAdmin(context, options, (admin) =>
    admin.addBan({
      network,
      by: operatorName(terminal.env),
      ...(options.for !== undefined && { until: clock.now() + options.for }),
      ...(options.reason !== undefined && { reason: options.reason }),
    }),
  );
  if (options.json) printJson(context, ban);
  else terminal.out(`${lineOf(ban, clock.now())}\n`);
  return exitCodes.ok;
}

async function lift(context: Context, options: CommonOptions, network: string): Promise<ExitCode> {
  const { terminal } = context;
  const by = operatorName(terminal.env);
  const result = await withAdmin(context, options, (admin) => admin.liftBan({ network, by }));
  if (options.json) printJson(context, result);
  else if (result.lifted) terminal.out(`${printable(network)} may connect again\n`);
  if (result.lifted) return exitCodes.ok;
  const { within } = result;
  const other =
    within === undefined ? 'Who is: posthorn bans list' : `But ${within} is: posthorn bans lift ${within}`;
  terminal.err(`posthorn: ${printable(network)} is not banned. ${other}\n`);
  return exitCodes.noInput;
}

function lineOf({ network, until, reason, times, by, at, refused = 0 }: Ban, now: number): string {
  const end = until === undefined ? 'until it is lifted' : `for another ${durationOf(until - now)}`;
  const since = now - at < 1000 ? '' : `, since ${durationOf(now - at)} ago`;
  const who = by === undefined ? '' : ` (by ${by})`;
  const again = by === undefined && times > 1 ? `; the ${ordinal(times)} time within a week` : '';
  const connections = refused === 0 ? '' : `; ${plural(refused, 'connection')} refused`;
  return printable(`${network}  banned ${end}${since}: ${reason}${who}${again}${connections}`);
}

function ordinal(number: number): string {
  const ending = { 1: 'st', 2: 'nd', 3: 'rd' }[number % 10] ?? 'th';
  return `${number}${number % 100 > 10 && number % 100 < 14 ? 'th' : ending}`;
}

function countLines({ since, refused, delayed, remembered }: AbuseCounts, now: number): string[] {
  const reasons = Object.entries(refused).filter(([, count]) => count > 0);
  const which = reasons.map(([why, count]) => `${count} ${why}`).join(', ') || 'none';
  return [
    `Connections refused since the server started ${durationOf(now - since)} ago: ${which}.`,
    `${plural(delayed, 'session')} waiting for a late answer; ${plural(remembered, 'client')} remembered that did something wrong within the hour.`,
  ];
}
