/** What the acts of the script are played with: the server under test, a remote one, and clients that speak to them. */

import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Dialogue, greet, transact } from '../../../e2e/peers/dialogue.ts';
import { eventually } from '../../../e2e/wait.ts';
import type { Letter } from './letters.ts';
import { octetsOf } from './letters.ts';
import type { Server } from './server.ts';
import type { StrangerState } from './stranger.ts';

export const password = 'secret';

export class Stage {
  readonly server: Server;
  readonly stranger: StrangerState;
  /** All that were ever sent, whatever came of it. */
  readonly letters: Letter[] = [];
  /** Octets of the log before what is to be looked into. */
  watchedFrom = 0;
  readonly #logFile: string;

  constructor(server: Server, stranger: StrangerState, logFile: string) {
    this.server = server;
    this.stranger = stranger;
    this.#logFile = logFile;
  }

  /** A letter with a number of its own. */
  letter(name: string, to: readonly string[], { from = 'sender@example.net', bodyBytes = 400 } = {}): Letter {
    const written = { token: `crash-${name}-${this.letters.length}`, from, to, bodyBytes };
    this.letters.push(written);
    return written;
  }

  /** Sends letters over one connection; rejects unless all are taken. */
  async post(...letters: readonly Letter[]): Promise<void> {
    const dialogue = await greet(this.server.ports.smtp);
    for (const letter of letters) await this.hand(dialogue, letter);
    await dialogue.say('QUIT');
    dialogue.close();
  }

  async hand(dialogue: Dialogue, letter: Letter): Promise<void> {
    const reply = await transact(dialogue, letter, octetsOf(letter));
    if (!reply.startsWith('250')) throw new Error(`${letter.token} was answered with ${reply}`);
  }

  /** Breaks off in the middle of a message. */
  async breakOff(letter: Letter): Promise<void> {
    const dialogue = await greet(this.server.ports.smtp);
    for (const line of [`MAIL FROM:<${letter.from}>`, ...letter.to.map((to) => `RCPT TO:<${to}>`), 'DATA'])
      await dialogue.say(line);
    const stuffed = octetsOf(letter).toString('latin1').replace(/^\./gm, '..');
    await dialogue.send(stuffed.slice(0, -1000));
    dialogue.close();
  }

  /** Resolves when every job is done or waits for its next attempt. */
  async settled(): Promise<void> {
    await this.server.admin(async (admin) => {
      await eventually('the end of all deliveries', async () => {
        const { jobs } = await admin.listQueue({ limit: 1000 });
        return (
          jobs.every(({ claimed, nextAttemptAt }) => !claimed && nextAttemptAt > Date.now()) || undefined
        );
      });
    });
  }

  /** Resolves when the server has done nothing that is recorded for a while. */
  async quiet(): Promise<void> {
    for (let before = -1, now = 0; before !== now; ) {
      before = now;
      await pause(150);
      now = await this.#logBytes();
    }
  }

  /** What came before is only the way to what follows. */
  async beginToWatch(): Promise<void> {
    await this.quiet();
    this.watchedFrom = await this.#logBytes();
  }

  async #logBytes(): Promise<number> {
    return (await stat(this.#logFile)).size;
  }

  /** Opens a mailbox by POP3 and lets `action` ask; QUIT is its own affair. */
  async pop3(user: string, action: (ask: (line: string, end?: string) => Promise<string>) => Promise<void>) {
    const socket = connect(this.server.ports.pop3, '127.0.0.1').setEncoding('latin1');
    let heard = '';
    socket.on('data', (text: string) => {
      heard += text;
    });
    const answer = (end: string) =>
      eventually(`an answer to POP3`, () => (heard.endsWith(end) ? heard : undefined));
    const ask = (line: string, end = '\r\n'): Promise<string> => {
      heard = '';
      socket.write(`${line}\r\n`);
      return answer(end);
    };
    await answer('\r\n');
    await ask(`USER ${user}`);
    await ask(`PASS ${password}`);
    await action(ask);
    socket.destroy();
  }
}
