/** The options by which a command says which recipients of the queue it means. All that are given must match. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { QueueSelection } from '../admin/shapes/queue.ts';
import type { JobState } from '../store/job.ts';
import type { Clock } from '../util/clock.ts';
import type { CommonOptions } from './context.ts';
import { duration } from './durations.ts';
import { CommandError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { once, someText } from './texts.ts';

export interface SelectionOptions extends CommonOptions {
  domain?: string;
  id?: string;
  recipient?: string;
  sender?: string;
  site?: string;
  state?: JobState;
  olderThan?: number;
  newerThan?: number;
  all?: boolean;
}

const states: Record<string, JobState> = {
  waiting: 'waiting',
  held: 'held',
  'under-way': 'underway',
  underway: 'underway',
};

function state(text: string): JobState {
  const found = states[text.toLowerCase()];
  if (found !== undefined) return found;
  throw new InvalidArgumentError('Give one of: waiting, held, under-way.');
}

export const selectionOptions = (command: Command): Command =>
  command
    .option('--id <queue-id>', 'only this message', once(someText))
    .option('--sender <address>', 'only from this sender; <> for reports, which have none', once(someText))
    .option('--recipient <address>', 'only to this recipient', once(someText))
    .option('--domain <domain>', 'only to recipients of this domain', once(someText))
    .option(
      '--site <host>',
      'only to this receiving site: one of its MX hosts, or the domain that they lie in',
      once(someText),
    )
    .addOption(
      new Option('--older-than <time>', 'only what was queued longer ago: 30m, 2h, 5d').argParser(
        once(duration),
      ),
    )
    .addOption(new Option('--newer-than <time>', 'only what was queued since').argParser(once(duration)))
    .addOption(
      new Option('--state <state>', 'only those')
        .choices(['waiting', 'held', 'under-way'])
        .argParser(once(state)),
    );

export function selectionOf(options: SelectionOptions, { now }: Clock): QueueSelection {
  const { domain, id, recipient, sender, site, state, olderThan, newerThan } = options;
  return {
    ...(domain !== undefined && { domain }),
    ...(site !== undefined && { site }),
    ...(id !== undefined && { queueId: id.toUpperCase() }),
    ...(recipient !== undefined && { recipient }),
    ...(sender !== undefined && { sender: sender === '<>' ? '' : sender }),
    ...(olderThan !== undefined && { queuedBefore: now() - olderThan }),
    ...(newerThan !== undefined && { queuedAfter: now() - newerThan }),
    ...(state !== undefined && { state }),
  };
}

/** What changes the queue must be told of what; the whole of it only by name. */
export function neededSelection(options: SelectionOptions, verb: string, clock: Clock): QueueSelection {
  const selection = selectionOf(options, clock);
  if (options.all || Object.keys(selection).length > 0) return selection;
  const choices = '--id, --sender, --recipient, --domain, --site, --older-than, --newer-than or --state';
  throw new CommandError(exitCodes.usage, `${verb} what? Use ${choices}, or --all.`);
}
