/** `posthorn senders`: what was learned of those who send to us. */

import type { Admin } from '../admin/admin.ts';
import { printable } from '../dossier/printable.ts';
import { dayOf, durationOf, plural } from '../dossier/words.ts';
import { reputationOf } from '../policy/conditions/history.ts';
import type { SenderEntry } from '../reception/history/history.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export function addSendersCommands(tree: CommandTree, context: Context): void {
  const group = tree.root
    .command('senders')
    .description('networks and domains that mail has come from, and what became of it');
  tree.run(
    tree
      .add(group, 'list', 'list what is known, the ones that came last first', { isDefault: true })
      .option('--json', 'print JSON'),
    (options) => list(context, options),
  );
  tree.run(
    tree
      .add(group, 'show <name>', 'what is known of a network, a domain or an address, and who knows whom')
      .option('--json', 'print JSON'),
    (options, name: string) => show(context, options, name),
  );
  tree.run(
    tree
      .add(group, 'forget <name>', 'forget all about a network, a domain or an address')
      .option('--json', 'print JSON'),
    (options, name: string) => forget(context, options, name),
  );
}

/** Entries that are asked for at once. */
const pageSize = 1000;

async function list(context: Context, options: CommonOptions): Promise<ExitCode> {
  const senders = await withAdmin(context, options, readAll);
  const { terminal, clock } = context;
  if (options.json) printJson(context, senders);
  else if (senders.length === 0) terminal.out('Nothing has come from strangers yet.\n');
  else for (const sender of senders) terminal.out(`${lineOf(sender, clock.now())}\n`);
  return exitCodes.ok;
}

async function readAll(admin: Admin): Promise<SenderEntry[]> {
  const all: SenderEntry[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = await admin.listSenders({ after, limit: pageSize });
    all.push(...page.senders);
    after = page.next;
  }
  return all;
}

function lineOf(sender: SenderEntry, now: number): string {
  const { kind, name, accepted, junk, refused, unknown, lastHour, firstAt = now, lastAt } = sender;
  const reputation = reputationOf(sender);
  const counts = [
    `${Math.round(accepted)} accepted`,
    `${Math.round(junk)} junk`,
    `${Math.round(refused)} refused`,
    ...(kind === 'network' ? [`${Math.round(unknown)} to nobody`] : []),
    ...(lastHour >= 1 ? [`${Math.round(lastHour)} in the last hour`] : []),
    ...(reputation === 'unknown' ? [] : [`reputation ${reputation}`]),
  ];
  return printable(
    `${name}  ${counts.join(', ')}; since ${dayOf(firstAt)}, last ${durationOf(now - lastAt)} ago`,
  );
}

async function show(context: Context, options: CommonOptions, name: string): Promise<ExitCode> {
  const found = await withAdmin(context, options, (admin) => admin.findSender({ name }));
  const { terminal, clock } = context;
  const { senders, acquaintances } = found;
  if (options.json) printJson(context, found);
  if (senders.length + acquaintances.length === 0) return unknown(context, name);
  if (options.json) return exitCodes.ok;
  for (const sender of senders) terminal.out(`${lineOf(sender, clock.now())}\n`);
  for (const { recipient, sender, lastAt } of acquaintances)
    terminal.out(`${printable(`${recipient} knows ${sender}`)}  (${dayOf(lastAt)})\n`);
  return exitCodes.ok;
}

async function forget(context: Context, options: CommonOptions, name: string): Promise<ExitCode> {
  const { count } = await withAdmin(context, options, (admin) => admin.forgetSender({ name }));
  if (options.json) printJson(context, { count });
  else if (count > 0) context.terminal.out(`${plural(count, 'line')} forgotten\n`);
  return count > 0 ? exitCodes.ok : unknown(context, name);
}

function unknown({ terminal }: Context, name: string): ExitCode {
  terminal.err(`posthorn: nothing is known of ${printable(name)}. What is: posthorn senders list\n`);
  return exitCodes.noInput;
}
