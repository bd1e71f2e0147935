/**
 * A dossier as a story to be read: each step with its time, in plain language and with its reason, each line of each
 * dialogue below it, explained. One message after the other; where a message has several recipients, each has a part of
 * its own. Looks nothing up and decides nothing.
 */

import { styleText } from 'node:util';
import { commentator } from './commentary.ts';
import { describe } from './describe.ts';
import type { DialogueLine, DossierEvent } from './event.ts';
import { printable } from './printable.ts';
import type { Step } from './step.ts';
import { type RecipientState, summarise } from './summary.ts';
import { dayOf, timeOf } from './words.ts';

export interface TimelineOptions {
  /** Escape sequences for a terminal. Default: false. */
  colour?: boolean;
  /** A comment above each line of a dialogue that a newcomer may wonder about. Default: true. */
  explain?: boolean;
}

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

interface Page {
  paint: Paint;
  explain: boolean;
}

/** Width of the column of times; everything else stands to its right. */
const margin = '              ';

/** Text with a final newline; '' for no events. Events of one message must be in order of time. Times are UTC. */
export function formatTimeline(events: readonly DossierEvent[], options: TimelineOptions = {}): string {
  const page = pageFor(options);
  const messages = Map.groupBy(events, ({ queueId }) => queueId);
  const parts = [...messages].map(([queueId, own]) => formatMessage(queueId, own, page));
  return parts.map((lines) => `${lines.join('\n')}\n`).join('\n');
}

function pageFor({ colour = false, explain = true }: TimelineOptions): Page {
  const paint: Paint = colour
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_, text) => text;
  return { paint, explain };
}

function formatMessage(queueId: string, events: readonly DossierEvent[], page: Page): string[] {
  const summaries = summarise(events);
  const [first] = events;
  const lines = [
    page.paint('bold', `Message ${queueId}`) + (first ? `, ${dayOf(first.at)} (times in UTC)` : ''),
  ];
  const heading = (recipient: string) => {
    const state = summaries.find((summary) => summary.recipient === recipient)?.state ?? 'underway';
    return `${page.paint('bold', printable(recipient))}: ${page.paint(stateStyles[state], stateWords[state])}`;
  };
  if (summaries.length === 1) {
    return [
      ...lines,
      ...summaries.map(({ recipient }) => heading(recipient)),
      '',
      ...formatEvents(events, page),
    ];
  }
  // Who was refused the message is no recipient of it, and what was made of it for them belongs to the message.
  const recipients = new Set(summaries.map(({ recipient }) => recipient));
  const common = events.filter(({ recipient }) => recipient === undefined || !recipients.has(recipient));
  lines.push('', ...formatEvents(common, page));
  for (const { recipient } of summaries) {
    const own = events.filter((event) => event.recipient === recipient);
    lines.push('', heading(recipient), ...formatEvents(own, page));
  }
  return lines;
}

const stateWords: Record<RecipientState, string> = {
  underway: 'on its way',
  delivered: 'sent',
  deferred: 'queued, to be tried again',
  held: 'on hold',
  unsent: 'not sent, and not queued',
  failed: 'refused for good',
  readdressed: 'sent to another address',
  dropped: 'removed from the queue',
};

const stateStyles: Record<RecipientState, Style> = {
  underway: 'cyan',
  delivered: 'green',
  deferred: 'yellow',
  held: 'yellow',
  unsent: 'yellow',
  failed: 'red',
  readdressed: 'cyan',
  dropped: 'red',
};

/** The day is told again whenever it changes. */
function formatEvents(events: readonly DossierEvent[], page: Page): string[] {
  let day = events[0] === undefined ? '' : dayOf(events[0].at);
  let told: string | undefined;
  return events.flatMap((event) => {
    const sameDay = dayOf(event.at) === day;
    day = dayOf(event.at);
    const step = describe(event);
    const reason = judging.has(event.event) ? step.details.find(isReason) : undefined;
    if (reason !== undefined && reason === told)
      step.details = step.details.filter((line) => line !== reason);
    told = reason ?? told;
    return [...(sameDay ? [] : [page.paint('dim', day)]), ...formatStep(event.at, step, page)];
  });
}

/** They follow one another, often with the same reason: it is told once. */
const judging: ReadonlySet<string> = new Set(['refused', 'checked', 'judged']);
const isReason = (line: string): boolean => line.startsWith('why: ');

const moodStyles: Record<Step['mood'], Style> = {
  good: 'green',
  waiting: 'yellow',
  bad: 'red',
  plain: 'reset',
};

function formatStep(at: number, { title, details, mood, dialogue = [] }: Step, page: Page): string[] {
  return [
    `${page.paint('dim', timeOf(at))}  ${page.paint(moodStyles[mood], printable(title))}`,
    ...details.map((detail) => `${margin}${printable(detail)}`),
    ...formatDialogue(dialogue, page),
  ];
}

/** A dialogue by itself, as it stands in a timeline, with its comments. */
export function formatLines(dialogue: readonly DialogueLine[], options: TimelineOptions = {}): string {
  const lines = formatDialogue(dialogue, pageFor(options));
  return lines.map((line) => `${line}\n`).join('');
}

/** Each line with the seconds since the step began; `S:` is the server of this connection, `C:` its client. */
function formatDialogue(dialogue: readonly DialogueLine[], { paint, explain }: Page): string[] {
  const commentOn = commentator();
  return dialogue.flatMap(([offsetMs, line]) => {
    const comment = commentOn(line);
    const offset = `+${(offsetMs / 1000).toFixed(3)}`.padStart(margin.length - 2);
    return [
      ...(explain && comment !== undefined ? [`${margin}  ${paint('dim', `# ${comment}`)}`] : []),
      `${paint('dim', offset)}    ${printable(line)}`,
    ];
  });
}
