/** Many numbered messages over many connections, and a record of which were acknowledged. */

import { type Dialogue, openDialogue } from './dialogue.ts';

export interface FloodOptions {
  port: number;
  /** The messages' numbers: from `first`, `count` of them. */
  first: number;
  count: number;
  connections: number;
  from: string;
  to: readonly string[];
  /** The text of each message, CRLF line ends; default: forty lines. */
  body?: (number: number) => string;
  /** Called with each number whose end of data was answered with 250. */
  acknowledged(number: number): void;
}

/** The word by which message `number` is known again. */
export const mark = (number: number): string => `flood-${number};`;

/** The number in a message, or undefined if it is none of ours. */
export function numberIn(message: Buffer): number | undefined {
  const digits = /flood-(\d+);/.exec(message.toString('latin1'))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Sends all, unless every connection breaks: the server may be killed meanwhile. Resolves to the first number that
 * was not tried.
 */
export async function flood(options: FloodOptions): Promise<number> {
  const end = options.first + options.count;
  const numbers = Array.from({ length: options.count }, (_, index) => options.first + index).values();
  await Promise.all(Array.from({ length: options.connections }, () => pour(options, numbers)));
  const next = numbers.next();
  return next.done ? end : next.value;
}

async function pour(options: FloodOptions, numbers: Iterable<number>): Promise<void> {
  let dialogue: Dialogue | undefined;
  try {
    dialogue = await openDialogue(options.port);
    await dialogue.reply();
    await dialogue.say('EHLO flood.example.org');
    for (const number of numbers)
      if (await transaction(dialogue, options, number)) options.acknowledged(number);
  } catch {
    // The server is gone, in the middle of what was not acknowledged.
  } finally {
    dialogue?.close();
  }
}

async function transaction(dialogue: Dialogue, options: FloodOptions, number: number): Promise<boolean> {
  const { from, to, body = shortBody } = options;
  const commands = [`MAIL FROM:<${from}>`, ...to.map((each) => `RCPT TO:<${each}>`), 'DATA'];
  await dialogue.send(commands.map((line) => `${line}\r\n`).join(''));
  for (const _ of commands) await dialogue.reply();
  await dialogue.send(`${numbered({ from, to, number, body: body(number) })}.\r\n`);
  return /^250/.test(await dialogue.reply());
}

const shortBody = (): string => 'Text of the flood.\r\n'.repeat(40);

export interface NumberedLetter {
  number: number;
  from: string;
  to: readonly string[];
  /** No line of it begins with a dot. */
  body: string;
}

export const messageId = (number: number): string => `<${number}@flood.example>`;

/** A whole message that numberIn() knows again, CRLF line ends. */
export function numbered({ number, from, to, body }: NumberedLetter): string {
  const header = [
    `From: <${from}>`,
    `To: <${to[0]}>`,
    `Subject: ${mark(number)}`,
    `Message-ID: ${messageId(number)}`,
    'Date: Mon, 21 Nov 2022 10:00:00 +0000',
  ];
  return `${header.join('\r\n')}\r\n\r\n${body}`;
}
