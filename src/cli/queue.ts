/** `posthorn queue`: what still waits to be delivered, and what becomes of it. */

import type { Command } from 'commander';
import type { Admin } from '../admin/admin.ts';
import { orderSteps } from '../admin/order-steps.ts';
import type { QueuedJob, QueueOrder, QueueSelection } from '../admin/shapes/queue.ts';
import { printable } from '../dossier/printable.ts';
import { durationOf, plural } from '../dossier/words.ts';
import { suspendedWhat } from '../queue/suspensions.ts';
import type { QueueCounts } from '../store/queue-store.ts';
import { type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { positiveNumber } from './numbers.ts';
import { operatorName } from './operator-name.ts';
import { neededSelection, type SelectionOptions, selectionOf, selectionOptions } from './queue-selection.ts';
import { addSuspensionCommands } from './suspension.ts';
import { once, reasonText, someText } from './texts.ts';

interface ListOptions extends SelectionOptions {
  limit: number;
  after?: string;
}

interface OrderOptions extends SelectionOptions {
  dryRun?: boolean;
  reason?: string;
  to?: string;
}

/** Rows of `list` without `--all`. */
const pageSize = 100;

export function addQueueCommands(tree: CommandTree, context: Context): void {
  const queue = tree.root
    .command('queue')
    .description('what still waits to be delivered, and what becomes of it');
  addListCommands(tree, context, queue);
  addOrderCommands(tree, context, queue);
  addSuspensionCommands(tree, context, queue);
}

function addListCommands(tree: CommandTree, context: Context, queue: Command): void {
  const list = selectionOptions(tree.add(queue, 'list', 'list the queue, one recipient after the other'))
    .option('--all', 'all of it, not only the first page')
    .option('--limit <n>', 'recipients on a page', positiveNumber, pageSize)
    .option('--after <cursor>', 'the page that follows, by what the one before said', once(someText))
    .option('--json', 'print JSON');
  tree.run(list, (options: ListOptions) => listJobs(context, options));

  const show = tree
    .add(queue, 'show <queue-id>', 'all about a message that waits: its recipients, and why each waits')
    .option('--json', 'print JSON');
  tree.run(show, (options, id: string) => showMessage(context, options, id));
}

interface OrderCommand {
  kind: QueueOrder['kind'];
  description: string;
  /** What a recipient is when it is done. */
  done: string;
  /** The order takes a reason, which stands in the dossier. */
  reason?: string;
}

const orders: readonly OrderCommand[] = [
  { kind: 'retry', description: 'try again now, not at the next time planned', done: 'due now' },
  {
    kind: 'hold',
    description: 'try nothing until it is released; its time stands still',
    done: 'on hold',
    reason: 'stands in the dossier',
  },
  { kind: 'release', description: 'end a hold', done: 'released' },
  {
    kind: 'redirect',
    description: 'deliver to another address instead',
    done: 'redirected',
    reason: 'stands in the dossier',
  },
  {
    kind: 'bounce',
    description: 'give up now, and tell the sender',
    done: 'bounced',
    reason: 'the sender is told',
  },
  {
    kind: 'drop',
    description: 'remove from the queue; the sender is not told',
    done: 'dropped',
    reason: 'stands in the dossier',
  },
];

function addOrderCommands(tree: CommandTree, context: Context, queue: Command): void {
  for (const order of orders) {
    const command = selectionOptions(tree.add(queue, order.kind, order.description))
      .option('--all', 'everything')
      .option('--dry-run', 'only say how many there are')
      .option('--json', 'print JSON');
    if (order.reason !== undefined)
      command.option('--reason <text>', `why: ${order.reason}`, once(reasonText));
    if (order.kind === 'redirect') command.requiredOption('--to <address>', 'where to', once(someText));
    tree.run(command, (options: OrderOptions) => give(context, options, order));
  }
}

/** In steps, each told when it is done: what was done is known, however it ends. */
async function give(
  context: Context,
  options: OrderOptions,
  { kind, done }: OrderCommand,
): Promise<ExitCode> {
  const selection = neededSelection(options, kind, context.clock);
  const order: QueueOrder = kind === 'redirect' ? { kind, to: options.to ?? '' } : { kind };
  return withAdmin(context, options, async (admin) => {
    if (options.dryRun) return dryRun(context, admin, { selection, kind, json: options.json ?? false });
    const ordered = {
      by: operatorName(context.terminal.env),
      ...(options.reason !== undefined && { reason: options.reason }),
    };
    const before = beginsAtOnce.has(kind) ? await admin.countQueue(selection) : undefined;
    const changed: { queueId: string; recipient: string }[] = [];
    let count = 0;
    for await (const jobs of orderSteps(admin, { selection, order, ...ordered })) {
      if (options.json) changed.push(...jobs);
      else printChanged(context, jobs);
      count += jobs.length;
    }
    const counts = before ?? (await admin.countQueue(selection));
    if (options.json) printJson(context, { changed, underway: counts.underway });
    else
      context.terminal.out(
        `${plural(count, 'recipient')} ${done}${leftAlone(counts)}${leftAsItIs(kind, counts, count)}\n`,
      );
    return exitCodeOf(context, selection, count + totalOf(counts));
  });
}

/** What these have changed is tried at once: counted afterwards, it would be among what was left alone. */
const beginsAtOnce = new Set<QueueOrder['kind']>(['retry', 'release']);

function printChanged({ terminal }: Context, jobs: readonly { queueId: string; recipient: string }[]): void {
  for (const { queueId, recipient } of jobs) terminal.out(`${queueId}  ${printable(recipient)}\n`);
}

const leftAlone = ({ underway }: QueueCounts): string =>
  underway === 0 ? '' : `; ${underway} being tried now, and left alone: look again in a moment`;

const totalOf = ({ waiting, held, underway }: QueueCounts): number => waiting + held + underway;

/** What was selected, and had nothing done to it because of the hold that it is on, or is not on. */
function leftAsItIs(kind: QueueOrder['kind'], { waiting, held }: QueueCounts, changed: number): string {
  if (kind === 'retry' && held > 0) return `; ${held} on hold, and left so: see posthorn queue release`;
  if (kind === 'hold' && held > changed) return `; ${held - changed} on hold already`;
  if (kind === 'release' && waiting > 0) return `; ${waiting} not on hold`;
  return '';
}

/** Those that an order changes. */
const affected: Record<QueueOrder['kind'], (counts: QueueCounts) => number> = {
  retry: ({ waiting }) => waiting,
  hold: ({ waiting }) => waiting,
  release: ({ held }) => held,
  redirect: ({ waiting, held }) => waiting + held,
  bounce: ({ waiting, held }) => waiting + held,
  drop: ({ waiting, held }) => waiting + held,
};

async function dryRun(
  context: Context,
  admin: Admin,
  { selection, kind, json }: { selection: QueueSelection; kind: QueueOrder['kind']; json: boolean },
): Promise<ExitCode> {
  const counts = await admin.countQueue({ ...selection, mustKnow: true });
  const count = affected[kind](counts);
  if (json) printJson(context, { count, underway: counts.underway });
  else context.terminal.out(`${plural(count, 'recipient')} would be concerned${leftAlone(counts)}\n`);
  return exitCodeOf(context, selection, totalOf(counts));
}

/** Who names a message or a recipient means something that is there; a wider selection may be empty. */
function exitCodeOf({ terminal }: Context, selection: QueueSelection, count: number): ExitCode {
  if (count > 0 || (selection.queueId ?? selection.recipient) === undefined) return exitCodes.ok;
  const { queueId, recipient, ...more } = selection;
  const what = [queueId, recipient && `<${recipient}>`].filter((text) => text !== undefined).join(' to ');
  const isPart = Object.keys(more).length > 0;
  terminal.err(
    isPart
      ? `posthorn: nothing in the queue is ${printable(what)} and matches the other options too.\n`
      : `posthorn: nothing in the queue is ${printable(what)}. What became of it: posthorn trace\n`,
  );
  return exitCodes.noInput;
}

async function listJobs(context: Context, options: ListOptions): Promise<ExitCode> {
  const selection = selectionOf(options, context.clock);
  const { jobs, next } = await withAdmin(context, options, (admin) => readJobs(admin, selection, options));
  if (options.json) printJson(context, jobs);
  else printJobs(context, jobs);
  if (next !== undefined)
    context.terminal.err(`There is more. The next page: --after '${next}'; the rest at once: --all\n`);
  return exitCodes.ok;
}

async function readJobs(admin: Admin, selection: QueueSelection, { all = false, limit, after }: ListOptions) {
  const first = await admin.listQueue({ ...selection, limit, ...(after !== undefined && { after }) });
  const { jobs } = first;
  let { next } = first;
  while (all && next !== undefined) {
    const page = await admin.listQueue({ ...selection, after: next, limit });
    jobs.push(...page.jobs);
    next = page.next;
  }
  return { jobs, next };
}

function printJobs(context: Context, jobs: readonly QueuedJob[]): void {
  const { terminal, clock } = context;
  for (const job of jobs) {
    const { queueId, recipient, reversePath, attempts, queuedAt, lastError } = job;
    const age = `for ${durationOf(clock.now() - queuedAt)}`;
    terminal.out(
      `${queueId}  <${printable(reversePath)}> → <${printable(recipient)}>  ${age}, ${plural(attempts, 'attempt')}, ${whenOf(job, clock.now())}\n`,
    );
    for (const line of [suspensionLine(job), askedLine(job), lastError])
      if (line !== undefined && line !== '') terminal.out(`    ${printable(line)}\n`);
  }
  if (jobs.length === 0) terminal.out('The queue is empty, or nothing in it matches.\n');
}

/** When a recipient is tried next, or why not. */
function whenOf(job: QueuedJob, now: number): string {
  const { memo, suspended, claimed, inLine, nextAttemptAt, requests } = job;
  if (memo?.held) return `on hold for ${durationOf(now - memo.held.at)}, by ${printable(memo.held.by)}`;
  if (claimed) return 'being tried now';
  if (suspended) return 'suspended';
  if (inLine) return 'due now, waiting for its turn at its site';
  const wait = nextAttemptAt - now;
  if (requests?.releaseAt === nextAttemptAt && wait > 0)
    return `held by its sender, goes in ${durationOf(wait)}`;
  return wait <= 0 ? 'due now' : `next attempt in ${durationOf(wait)}`;
}

/** What its sender has asked for of when. */
function askedLine({ requests: { deliverBy, priority } = {} }: QueuedJob): string | undefined {
  const parts: string[] = [];
  if (deliverBy) {
    const end = deliverBy.mode === 'R' ? 'or returned' : 'or its sender is told';
    parts.push(
      `to be delivered by ${new Date(deliverBy.at).toISOString().slice(0, 19).replace('T', ' ')} UTC, ${end}`,
    );
  }
  if (priority !== undefined) parts.push(`priority ${priority}`);
  return parts.length > 0 ? parts.join('; ') : undefined;
}

function suspensionLine({ suspended, claimed, lastError }: QueuedJob): string | undefined {
  if (suspended === undefined || claimed) return undefined;
  const why = suspended.reason === undefined ? '' : `: ${suspended.reason}`;
  const line = `${suspendedWhat(suspended)} is suspended by ${suspended.by}${why}`;
  return line === lastError ? undefined : line;
}

async function showMessage(
  context: Context,
  options: { config?: string; json?: boolean },
  id: string,
): Promise<ExitCode> {
  const queueId = id.toUpperCase();
  const selection = { queueId };
  const { jobs } = await withAdmin(context, options, (admin) =>
    readJobs(admin, selection, { limit: pageSize, all: true }),
  );
  if (options.json) printJson(context, jobs);
  else if (jobs.length > 0) {
    printJobs(context, jobs);
    for (const line of detailsOf(jobs[0])) context.terminal.out(`${line}\n`);
    context.terminal.out(`The whole story: posthorn trace ${queueId}\n`);
  }
  return exitCodeOf(context, selection, jobs.length);
}

function detailsOf(job: QueuedJob | undefined): string[] {
  if (job === undefined) return [];
  const utc = (at: number) => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  const end = job.memo?.held ? 'its time stands still' : `given up after ${utc(job.expiresAt)}`;
  return ['', `queued at ${utc(job.queuedAt)}; ${end}`];
}
