/**
 * What a refusal means beyond its code, read from its words: the same message again later (greylisting, RFC 6647), less
 * mail or slower, or another address of ours. And the time that a server names for the next attempt. A table, each line
 * with its source; the first line that fits decides. Decides nothing about the message.
 */

import { type Reply, replyText } from '../../smtp/reply.ts';

export type Meaning =
  /** Unknown yet: the same message, from the same address, after a while (RFC 6647). */
  | 'greylisting'
  /** Too much or too fast: this site wants fewer connections or messages, whatever the message. */
  | 'pace'
  /** Our address or name is what they mind, not the message. */
  | 'identity';

export interface ReplyMeaning {
  meaning: Meaning;
  /** How long the server asks to be left alone, in ms, where it names a time. */
  waitMs?: number;
}

interface Line {
  meaning: Meaning;
  codes?: readonly number[];
  /** A beginning of the enhanced status. */
  enhanced?: RegExp;
  words?: RegExp;
  /** Who answers so. */
  source: string;
}

const meaningLines: readonly Line[] = [
  {
    meaning: 'greylisting',
    words: /gr[ea]y[- ]?list/i,
    source: 'postgrey, sqlgrey, milter-greylist, gld, Stalwart: the word itself (RFC 6647)',
  },
  { meaning: 'pace', codes: [421], source: 'RFC 5321 §3.8: the host, or this connection, has had enough' },
  {
    meaning: 'pace',
    enhanced: /^4\.(?:3\.2|4\.5|7\.28|7\.5\d\d|7\.6\d\d)$/,
    source: 'RFC 3463: not accepting, congestion; Gmail 4.7.28; Microsoft 4.7.500 and 4.7.650 to 4.7.654',
  },
  {
    meaning: 'pace',
    words:
      /too (?:many|much) (?:connections|mail|messages|recipients|sessions|new TLS|concurrent|commands)|too fast/i,
    source: 'Postfix smtpd (anvil), Exim smtp_accept_max_per_host, Sendmail',
  },
  {
    meaning: 'pace',
    words:
      /\brates?\b|rate[- ]?limit|throttl|server (?:is )?busy|unexpected volume|exceeded .{0,60}\b(?:limit|quota) .{0,40}(?:hour|minute|day)/i,
    source: 'Gmail, Yahoo TSS04, Microsoft, Exim ratelimit, rspamd ("Ratelimit ... exceeded")',
  },
  {
    meaning: 'identity',
    words:
      /\bPTR\b|\br(?:everse[- ]?)?DNS\b|reverse (?:hostname|lookup|name)|your (?:reverse )?hostname|helo command rejected/i,
    source: 'Postfix reject_unknown_client_hostname and reject_unknown_helo_hostname; Gmail 4.7.23',
  },
  {
    meaning: 'identity',
    words: /\b(?:blocked|blacklist(?:ed)?|block[- ]?list(?:ed)?|reputation|listed (?:at|by|in|on))\b/i,
    source: 'DNS block lists in Postfix, Exim and others',
  },
  { meaning: 'greylisting', enhanced: /^4\.7\.1$/, source: 'RFC 6647, milter-greylist, rspamd' },
  {
    meaning: 'greylisting',
    codes: [450, 451],
    words:
      /come back|(?:try|retry|tried)(?: it)?(?: again)?(?: a (?:bit|little))? (?:later|in\b|after)|^(?:\d+ )(?:\S+ )?GL\b/i,
    source: 'milter-greylist, rspamd ("Try again later"), OpenBSD spamd, qmail ("GL - temporary problem")',
  },
  {
    meaning: 'pace',
    enhanced: /^4\.7\.(?!2[0-46-9]$)\d+$/,
    source:
      'RFC 3463 §3.8: a policy against us; but what RFC 7372 and others say of one message (4.7.20 to 4.7.29) is none',
  },
];

/** What is read of a reply; no server needs more words to say what it means, and hostile ones have a megabyte. */
const maxWords = 2000;

export const wordsOf = (reply: Reply): string => replyText(reply).slice(0, maxWords);

/** What a 4xx means; undefined where its words say no more than its code. */
export function meaningOf(reply: Reply): ReplyMeaning | undefined {
  if (reply.code < 400 || reply.code > 499) return undefined;
  const text = wordsOf(reply);
  const waitMs = namedWait(text);
  const time = waitMs === undefined ? {} : { waitMs };
  const line = meaningLines.find((each) => fits(each, reply, text));
  if (line !== undefined) return { meaning: line.meaning, ...time };
  // Who names a time expects us to come again then.
  return waitMs !== undefined && (reply.code === 450 || reply.code === 451)
    ? { meaning: 'greylisting', waitMs }
    : undefined;
}

/** Whether the words are those of greylisting, whatever the code: some servers greylist with a 5xx. */
export const soundsLikeGreylisting = (text: string): boolean =>
  /gr[ea]y[- ]?list/i.test(text) ||
  (/(?:try|come) (?:again|back)/i.test(text) && namedWait(text) !== undefined);

function fits({ codes, enhanced, words }: Line, reply: Reply, text: string): boolean {
  return (
    (codes === undefined || codes.includes(reply.code)) &&
    (enhanced === undefined || enhanced.test(reply.enhanced ?? '')) &&
    (words === undefined || words.test(text))
  );
}

/** No server is waited for longer than this on its word alone. */
export const maxNamedWaitMs = 12 * 3600_000;

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3600_000 };

/** "come back in 00:04:59", as milter-greylist has it. */
const clockTime = /\b(?:in|after|for|wait)\s+(\d{1,2}):(\d\d):(\d\d)\b/i;
/** "in 300 seconds", "for 5 minutes", "after 1 hour", "wait 30s". */
const amount =
  /\b(?:in|after|for|wait(?:ing)?|least)\s+(?:about\s+)?(\d{1,6})\s*(s|m|h)(?:ec|in|r|econd|inute|our)?s?\b/i;

/** The time that a text names, in ms. */
export function namedWait(text: string): number | undefined {
  const waitMs = clockWait(text) ?? amountWait(text);
  return waitMs === undefined || waitMs > maxNamedWaitMs ? undefined : waitMs;
}

function clockWait(text: string): number | undefined {
  const [, hours, minutes, seconds] = clockTime.exec(text)?.map(Number) ?? [];
  if (hours === undefined || minutes === undefined || seconds === undefined) return undefined;
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

function amountWait(text: string): number | undefined {
  const [, count, unit] = amount.exec(text) ?? [];
  if (count === undefined || unit === undefined) return undefined;
  return Number(count) * (unitMs[unit.toLowerCase()] ?? 0);
}
