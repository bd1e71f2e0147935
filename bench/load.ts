/** Postfix's own load generator, smtp-source(1): the same hammer for every server. */

import { runOk } from '../e2e/process.ts';

export interface Load {
  messages: number;
  /** Octets of each message's body. */
  sizeBytes: number;
  /** Connections at once. */
  sessions: number;
  /** `reused`: each carries message after message. `each`: a new one for every message. */
  connections: 'reused' | 'each';
  sender?: string;
  recipient?: string;
  /** A whole message, header and body, with bare LF line ends; instead of one of `sizeBytes`. */
  file?: string;
}

const sender = 'sender@example.org';
const recipient = 'recipient@example.net';

/** Long enough for a slow server on a busy machine. */
const defaultLimitMs = 300_000;

/** Sends them all; resolves when the last one is acknowledged. Rejects if that takes longer than `limitMs`. */
export async function sendLoad(port: number, load: Load, limitMs = defaultLimitMs): Promise<void> {
  await runOk('smtp-source', sourceArguments(port, load), { timeoutMs: limitMs });
}

/** smtp-source(1): `-d` keeps the connection for the next message. */
export function sourceArguments(port: number, load: Load): string[] {
  const { messages, sizeBytes, sessions, connections } = load;
  return [
    ...(connections === 'reused' ? ['-d'] : []),
    ...['-s', String(Math.min(sessions, messages)), '-m', String(messages)],
    ...(load.file === undefined ? ['-l', String(sizeBytes)] : ['-F', load.file]),
    ...['-f', load.sender ?? sender, '-t', load.recipient ?? recipient],
    `127.0.0.1:${port}`,
  ];
}

/** The same, spread over many recipients. */
export async function spreadLoad(port: number, load: Load, recipients: readonly string[]): Promise<void> {
  await runOk('sh', ['-c', spreadScript(port, load, recipients)], { timeoutMs: defaultLimitMs });
}

/**
 * smtp-source knows one recipient, so every session is a lane of them, one after the other, each with the share of one
 * recipient. One shell starts all: from Node, a process costs more than the messages that it sends.
 */
export function spreadScript(port: number, load: Load, recipients: readonly string[]): string {
  const commands = shareOut(load.messages, recipients)
    .filter(({ messages }) => messages > 0)
    .map(({ messages, recipient }) =>
      ['smtp-source', ...sourceArguments(port, { ...load, sessions: 1, messages, recipient })].join(' '),
    );
  const lanes = Array.from({ length: load.sessions }, (_, lane) =>
    commands.filter((_, index) => index % load.sessions === lane).join(' && '),
  );
  const started = lanes.filter((lane) => lane !== '').map((lane) => `(${lane}) & lanes="$lanes $!"\n`);
  return `${started.join('')}for lane in $lanes; do wait $lane || exit 1; done\n`;
}

/** As equal as whole messages can be. */
export function shareOut(messages: number, recipients: readonly string[]) {
  const upTo = (index: number) => Math.floor((messages * index) / recipients.length);
  return recipients.map((recipient, index) => ({ recipient, messages: upTo(index + 1) - upTo(index) }));
}
