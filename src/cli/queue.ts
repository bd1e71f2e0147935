/** `posthorn queue`: what still waits to be delivered. */

import type { Command } from 'commander';
import type { Admin } from '../admin/admin.ts';
import { printable } from '../dossier/printable.ts';
import { durationOf, plural } from '../dossier/words.ts';
import type { JobRow, QueueFilter, QueuePage } from '../store/store.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface FilterOptions extends CommonOptions {
  domain?: string;
  id?: string;
  recipient?: string;
  all?: boolean;
}

/** Rows of `list` without `--all`. */
const pageSize = 100;

export function addQueueCommands(tree: CommandTree, context: Context): void {
  const queue = tree.root.command('queue').description('what still waits to be delivered');
  const filtered = (usage: string, description: string, all: string) =>
    filterOptions(tree.add(queue, usage, description))
      .option('--all', all)
      .option('--json', 'print JSON');

  tree.run(
    filtered('list', 'list the queue, one line per recipient', 'all of it, not only the first page'),
    (options) => list(context, options),
  );
  tree.run(
    filtered('retry', 'try again now, not at the next time planned', 'everything'),
    async (options) => {
      const filter = selection(options, 'retry');
      const { count } = await withAdmin(context, options, (admin) => admin.retryQueue(filter));
      if (options.json) printJson(context, { count });
      else context.terminal.out(`${plural(count, 'recipient')} due now\n`);
      return exitCodes.ok;
    },
  );
  tree.run(
    filtered('drop', 'remove from the queue; the sender is not told', 'everything'),
    async (options) => {
      const filter = selection(options, 'drop');
      await withAdmin(context, options, (admin) => drop(context, admin, filter, options.json));
      return exitCodes.ok;
    },
  );
}

/** In steps, each told when it is done: what was dropped is known, however it ends. */
async function drop(context: Context, admin: Admin, filter: QueueFilter, json = false): Promise<void> {
  const dropped: JobRow[] = [];
  let count = 0;
  for (let more = true; more; ) {
    const step = await admin.dropQueue(filter);
    if (json) dropped.push(...step.jobs);
    else printDropped(context, step.jobs);
    count += step.jobs.length;
    more = step.more;
  }
  if (json) printJson(context, dropped);
  else context.terminal.out(`${plural(count, 'recipient')} dropped\n`);
}

function printDropped({ terminal }: Context, jobs: readonly JobRow[]): void {
  for (const { queueId, recipient } of jobs) terminal.out(`${queueId}  ${printable(recipient)}\n`);
}

const filterOptions = (command: Command): Command =>
  command
    .option('--domain <domain>', 'only to recipients of this domain')
    .option('--id <queue-id>', 'only this message')
    .option('--recipient <address>', 'only to this recipient');

function filterOf({ domain, id, recipient }: FilterOptions): QueueFilter {
  return {
    ...(domain === undefined ? {} : { destination: domain.toLowerCase() }),
    ...(id === undefined ? {} : { queueId: id.toUpperCase() }),
    ...(recipient === undefined ? {} : { recipient }),
  };
}

/** What changes the queue must be told of what; the whole of it only by name. */
function selection(options: FilterOptions, verb: string): QueueFilter {
  const filter = filterOf(options);
  if (options.all || Object.keys(filter).length > 0) return filter;
  throw new CommandError(exitCodes.usage, `${verb} what? Use --id, --domain or --recipient, or --all.`);
}

async function list(context: Context, options: FilterOptions): Promise<ExitCode> {
  const { jobs, more } = await withAdmin(context, options, (admin) =>
    readJobs(admin, filterOf(options), options.all),
  );
  if (options.json) printJson(context, jobs);
  else printJobs(context, jobs);
  if (more) context.terminal.err(`Only the first ${pageSize}; for the rest: --all\n`);
  return exitCodes.ok;
}

async function readJobs(admin: Admin, filter: QueueFilter, all = false) {
  const first = await admin.listQueue({ ...filter, limit: pageSize });
  const { jobs } = first;
  let { next } = first;
  while (all && next !== undefined) {
    const page = await admin.listQueue({ ...filter, after: next, limit: pageSize });
    jobs.push(...page.jobs);
    next = page.next;
  }
  return { jobs, more: next !== undefined };
}

function printJobs({ terminal, clock }: Context, jobs: QueuePage['jobs']): void {
  for (const {
    queueId,
    recipient,
    reversePath,
    attempts,
    nextAttemptAt,
    queuedAt,
    claimed,
    lastError,
  } of jobs) {
    const wait = nextAttemptAt - clock.now();
    const when = claimed ? 'being tried now' : wait <= 0 ? 'due now' : `next attempt in ${durationOf(wait)}`;
    const age = `for ${durationOf(clock.now() - queuedAt)}`;
    terminal.out(
      `${queueId}  <${printable(reversePath)}> → <${printable(recipient)}>  ${age}, ${plural(attempts, 'attempt')}, ${when}\n`,
    );
    if (lastError !== undefined) terminal.out(`    ${printable(lastError)}\n`);
  }
  if (jobs.length === 0) terminal.out('The queue is empty.\n');
}
