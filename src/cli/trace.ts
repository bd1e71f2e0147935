/** `posthorn trace`: what happened to a message. */

import { Option } from 'commander';
import type { DossierEvent } from '../dossier/event.ts';
import { formatTimeline } from '../dossier/timeline.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { forecastsFor } from './forecasts.ts';
import { positiveNumber } from './numbers.ts';

interface TraceOptions extends CommonOptions {
  limit: number;
  explain: boolean;
}

export function addTraceCommand(tree: CommandTree, context: Context): void {
  const { terminal } = context;
  tree.run(
    tree
      .add(
        tree.root,
        'trace <subject>',
        'tell what happened to a message: by queue id, Message-ID or address',
      )
      .addOption(
        new Option('--limit <n>', 'messages at most, newest first').default(10).argParser(positiveNumber),
      )
      .option('--no-explain', 'leave out the comments in dialogues')
      .option('--json', 'print a JSON array of events'),
    async (options: TraceOptions, subject: string) => {
      const { limit, explain } = options;
      if (subject.trim() === '')
        throw new CommandError(
          exitCodes.usage,
          'the subject is empty. Give a queue id, a Message-ID or an address.',
        );
      const { events, forecasts } = await withAdmin(context, options, async (admin) => {
        const events = await admin.trace({ subject, limit });
        return { events, forecasts: options.json ? [] : await forecastsFor(admin, events) };
      });
      if (options.json) {
        printJson(context, events.map(flatten));
        return exitCodes.ok;
      }
      if (events.length === 0) {
        terminal.err(
          `posthorn: nothing is known of ${subject}. Dossiers are kept for 30 days, or as [dossier] says.\n`,
        );
        return exitCodes.noInput;
      }
      terminal.out(formatTimeline(events, { colour: usesColour(context), explain }));
      for (const line of forecasts) terminal.out(`${line}\n`);
      if (new Set(events.map(({ queueId }) => queueId)).size >= limit)
        terminal.out(`These are the newest ${limit} messages; for more: --limit ${limit * 10}\n`);
      return exitCodes.ok;
    },
  );
}

/** An event as programs read it: `{at, queueId, recipient, event, …data}`; null where it is about the whole message. */
export function flatten({ at, queueId, recipient, event, data }: DossierEvent): Record<string, unknown> {
  return { at, queueId, recipient: recipient ?? null, event, ...data };
}

/** See no-color.org. */
export const usesColour = ({ terminal }: Context): boolean => terminal.outIsTty && !terminal.env.NO_COLOR;
