/**
 * Sends letters 0 … N-1 in a process of its own, all at once, a connection each. Arguments: a JSON object of
 * SenderOrder. Prints `acknowledged N` at the end; fails with the first reply that is no success.
 */

import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { type Dialogue, talkOver } from '../../e2e/peers/dialogue.ts';
import { envelopeOf, headerOf, password } from './envelope.ts';
import { createLetters, type Letters } from './letters.ts';

export interface SenderOrder {
  letters: number;
  sizeBytes: number;
  ports: { smtp: number; submissions: number };
}

/** A receiver that is busy with so many at once may take its time. */
const replyMs = 600_000;
/** The server checks so many passwords of one address at once and refuses more. */
const loginsAtOnce = 16;

async function sendAll({ letters: count, sizeBytes, ports }: SenderOrder): Promise<void> {
  const letters = createLetters(sizeBytes);
  const dialogues: Dialogue[] = [];
  for (let first = 0; first < count; first += loginsAtOnce) {
    const next = Array.from({ length: Math.min(loginsAtOnce, count - first) }, (_, index) => first + index);
    dialogues.push(...(await Promise.all(next.map((number) => begin(number, ports)))));
  }
  await Promise.all(dialogues.map((dialogue, number) => sendBody(dialogue, letters, number)));
  console.log(`acknowledged ${count}`);
}

/** Everything up to the 354: from here on all letters stream at the same time. */
async function begin(number: number, ports: SenderOrder['ports']): Promise<Dialogue> {
  const { via, from, to } = envelopeOf(number);
  const socket = via === 'smtp' ? connect(ports.smtp, '127.0.0.1') : secure(ports.submissions);
  await once(socket, via === 'smtp' ? 'connect' : 'secureConnect');
  const dialogue = talkOver(socket);
  await dialogue.reply(replyMs);
  await expect(dialogue, 'EHLO client.example.org', '250');
  if (via === 'submissions') {
    const credentials = Buffer.from(`\0${from}\0${password}`).toString('base64');
    await expect(dialogue, `AUTH PLAIN ${credentials}`, '235');
  }
  await expect(dialogue, `MAIL FROM:<${from}>`, '250');
  await expect(dialogue, `RCPT TO:<${to}>`, '250');
  await expect(dialogue, 'DATA', '354');
  return dialogue;
}

/** The certificate's name is not what is measured here. */
const secure = (port: number) => tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false });

async function sendBody(dialogue: Dialogue, letters: Letters, number: number): Promise<void> {
  await dialogue.send(headerOf(number));
  for (const piece of letters.body(number, 'wire')) await dialogue.send(piece);
  await expect(dialogue, '.', '250');
  dialogue.close();
}

async function expect(dialogue: Dialogue, line: string, code: string): Promise<void> {
  await dialogue.send(`${line}\r\n`);
  const reply = await dialogue.reply(replyMs);
  if (!reply.startsWith(code)) throw new Error(`after ${line.slice(0, 30)}: ${reply}`);
}

// The parent is this benchmark, which writes a SenderOrder.
await sendAll(JSON.parse(process.argv[2] ?? '') as SenderOrder);
