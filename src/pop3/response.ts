/** POP3 responses as text (RFC 1939 §3), with response codes (RFC 2449 §8, RFC 3206), and what a command comes to. */

import type { Pop3Event, ResponseCode } from './event.ts';

/** What the session does next because of a command. */
export type Step =
  /** One line; with `lines`, a multi-line response that the session ends with its dot. */
  | { kind: 'response'; line: string; lines?: Iterator<string> }
  /** A command that was wrong in itself or in this state. Too many of them end the session. */
  | { kind: 'fault'; line: string }
  | { kind: 'ask'; event: Pop3Event }
  | { kind: 'startTls' }
  | { kind: 'quit' };

export const positive = (text: string): string => `+OK ${text}`;

export const negative = (text: string, code?: ResponseCode): string =>
  code === undefined ? `-ERR ${text}` : `-ERR [${code}] ${text}`;

export const response = (text: string): Step => ({ kind: 'response', line: positive(text) });

export const multiLine = (text: string, lines: Iterable<string>): Step => ({
  kind: 'response',
  line: positive(text),
  lines: lines[Symbol.iterator](),
});

/** A request that was right but cannot be met, such as for a message that does not exist. */
export const refusal = (text: string): Step => ({ kind: 'response', line: negative(text) });

export const fault = (text: string, code?: ResponseCode): Step => ({
  kind: 'fault',
  line: negative(text, code),
});
