/** `posthorn send`: sends a message and shows what came of it, for each recipient, with the dialogue (M10). */

import { Option } from 'commander';
import type { SendResult } from '../admin/shapes/server.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { printable } from '../dossier/printable.ts';
import { type RecipientState, type RecipientSummary, summarise } from '../dossier/summary.ts';
import { formatTimeline } from '../dossier/timeline.ts';
import { type CommonOptions, type Context, configOf, printJson, withAdmin } from './context.ts';
import { type CommandTree, collect } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { follow } from './follow.ts';
import { type Letter, type LetterOptions, writeLetter } from './letter.ts';
import { positiveNumber } from './numbers.ts';
import { flatten, usesColour } from './trace.ts';

interface SendOptions extends CommonOptions, LetterOptions {
  direct?: boolean;
  timeout: number;
}

/** A message on standard input is held in memory; the server's own limit is looked at besides. */
const maxInputBytes = 2 ** 30;

export function addSendCommand(tree: CommandTree, context: Context): void {
  const composing = ['subject', 'text', 'html', 'attach'];
  tree.run(
    tree
      .add(tree.root, 'send', 'send a message, follow it, and show what came of it')
      .requiredOption('--from <address>', 'sender: any address of this server')
      .option('--to <address>', 'recipient; may be repeated', collect)
      .option('--cc <address>', 'recipient of a copy; may be repeated', collect)
      .option('--bcc <address>', 'recipient whom nobody else sees; may be repeated', collect)
      .option('--subject <text>')
      .option('--text <text>', 'the message as plain text')
      .option('--html <html>', 'the message as HTML; with --text both go, as alternatives')
      .option('--attach <file>', 'file to attach; may be repeated', collect)
      .addOption(
        new Option('--file <file>', 'a complete message, sent as it is; - is standard input').conflicts(
          composing,
        ),
      )
      .option('--direct', "straight to the recipients' hosts: no server, no queue, one attempt")
      .addOption(
        new Option('--timeout <seconds>', 'how long to wait for results')
          .default(60)
          .argParser(positiveNumber),
      )
      .option('--json', 'print JSON'),
    (options: SendOptions) => send(context, options),
  );
}

async function send(context: Context, options: SendOptions): Promise<ExitCode> {
  const { terminal, clock } = context;
  const readInput = () => terminal.readInput(maxInputBytes);
  const letter = await writeLetter(options, { cwd: terminal.cwd, now: clock.now(), readInput });
  return options.direct ? sendDirectly(context, options, letter) : sendByServer(context, options, letter);
}

async function sendByServer(context: Context, options: SendOptions, letter: Letter): Promise<ExitCode> {
  const report = await withAdmin(context, options, async (admin, { limits }) => {
    checkSize(letter, limits.messageBytes);
    const { queueId, refused } = await admin.send(letter);
    const recipients = letter.recipients.filter(
      (recipient) => !refused.some((one) => one.recipient === recipient),
    );
    const timeoutMs = options.timeout * 1000;
    const { events, summaries, inQueue } = await follow(admin, {
      queueId,
      recipients,
      timeoutMs,
      clock: context.clock,
    });
    const known = summaries.map((summary) =>
      inQueue || summary.state !== 'underway' ? resultOf(summary) : untold(summary),
    );
    const results = [...known, ...refused.map(refusal)];
    return { headline: `Accepted as ${queueId}.`, queueId, results, events };
  });
  show(context, options, report);
  return exitCodeOf(report.results);
}

async function sendDirectly(context: Context, options: SendOptions, letter: Letter): Promise<ExitCode> {
  const config = await configOf(context, options);
  checkSize(letter, config.limits.messageBytes);
  const { deliverDirect } = await import('../delivery/direct.ts');
  const { events } = await deliverDirect(config, letter);
  const results = summarise(events).map(resultOf);
  show(context, options, {
    headline: 'Sent directly: nothing is queued, nothing will be tried again.',
    queueId: events[0]?.queueId,
    results,
    events,
  });
  return exitCodeOf(results);
}

function checkSize({ content }: Letter, most: number): void {
  if (content.length <= most) return;
  const text = `the message has ${content.length} octets, and [limits] messageBytes is ${most}. Send less, or raise it.`;
  throw new CommandError(exitCodes.badData, text);
}

/** What came of one recipient. */
interface Result {
  recipient: string;
  /** What was asked for, where an alias led to `recipient`. */
  original?: string;
  result: 'sent' | 'queued' | 'held' | 'unsent' | 'refused' | 'readdressed' | 'dropped' | 'unknown';
  /** The reply, or the reason; '' while nothing is known. */
  detail: string;
}

interface Report {
  headline: string;
  queueId: string | undefined;
  results: Result[];
  events: DossierEvent[];
}

const words: Record<RecipientState, Result['result']> = {
  delivered: 'sent',
  deferred: 'queued',
  underway: 'queued',
  held: 'held',
  unsent: 'unsent',
  failed: 'refused',
  readdressed: 'readdressed',
  dropped: 'dropped',
};

function resultOf(summary: RecipientSummary): Result {
  const { recipient, original, state } = summary;
  return {
    recipient,
    ...(original === undefined ? {} : { original }),
    result: words[state],
    detail: detailOf(summary),
  };
}

const refusal = ({ recipient, reply }: SendResult['refused'][number]): Result => ({
  recipient,
  result: 'refused',
  detail: reply,
});

/** It has left the queue, but no event says how: dossiers are off, or went with their account. */
const untold = ({ recipient }: RecipientSummary): Result => ({
  recipient,
  result: 'unknown',
  detail: 'has left the queue, and no dossier was kept',
});

/** What the deciding event says, in a line. */
function detailOf({ decidedBy }: RecipientSummary): string {
  switch (decidedBy?.event) {
    case 'delivered':
      return decidedBy.data.reply ?? `into ${decidedBy.data.folder ?? 'Inbox'}`;
    case 'deferred':
    case 'failed':
      return decidedBy.data.reason;
    case 'inDoubt':
      return decidedBy.data.rule;
    case 'readdressed':
      return `to ${decidedBy.data.to} instead, by ${decidedBy.data.by}`;
    case 'held':
    case 'dropped':
      return `by ${decidedBy.data.by}`;
    default:
      return '';
  }
}

function show(context: Context, options: SendOptions, { headline, queueId, results, events }: Report): void {
  if (options.json) return printJson(context, { queueId, recipients: results, events: events.map(flatten) });
  const lines = results.map(({ recipient, original, result, detail }) => {
    const who = original === undefined ? recipient : `${original} → ${recipient}`;
    return `${result.padEnd(8)} ${printable(who)}  ${printable(detail)}`.trimEnd();
  });
  const timeline = formatTimeline(events, { colour: usesColour(context) });
  context.terminal.out(`${[headline, ...lines, ''].join('\n')}\n${timeline}`);
}

function exitCodeOf(results: readonly Result[]): ExitCode {
  const all = new Set(results.map(({ result }) => result));
  if (all.has('refused') || all.has('dropped')) return exitCodes.refused;
  if (all.has('unsent')) return exitCodes.tryLater;
  return all.has('queued') || all.has('held') || all.has('unknown') ? exitCodes.queued : exitCodes.ok;
}
