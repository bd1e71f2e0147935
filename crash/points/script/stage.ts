/** What the acts of the script are played with: the server under test, a remote one, and clients that speak to them. */

import { rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Dialogue, greet, transact } from '../../../e2e/peers/dialogue.ts';
import { eventually } from '../../../e2e/wait.ts';
import { type FatalSync, orderKill } from '../../recorder/build.ts';
import type { Known } from '../recording.ts';
import type { Letter } from './letters.ts';
import { octetsOf } from './letters.ts';
import type { Server } from './server.ts';
import type { StrangerState, Taken } from './stranger.ts';

export const password = 'a long secret';

export interface StageParts {
  server: Server;
  stranger: StrangerState;
  logFile: string;
  /** Where the recorder looks for orders to kill. */
  killFile: string;
}

export class Stage {
  readonly server: Server;
  readonly stranger: StrangerState;
  /** All that were ever sent, whatever came of it. */
  readonly letters: Letter[] = [];
  /** What the clients have heard: tokens of letters, addresses, and tokens again. */
  readonly acknowledged: string[] = [];
  readonly accounts: string[] = [];
  readonly deleted: string[] = [];
  /** Octets of the log before what is to be looked into. */
  watchedFrom = 0;
  readonly #logFile: string;
  readonly #killFile: string;
  /** While the server was dying: whether it has heard the reply is not known. */
  readonly #takenInVain = new Set<Taken>();

  constructor({ server, stranger, logFile, killFile }: StageParts) {
    this.server = server;
    this.stranger = stranger;
    this.#logFile = logFile;
    this.#killFile = killFile;
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
    this.acknowledged.push(letter.token);
  }

  /** So far. */
  get known(): Known {
    const taken = this.stranger.taken.filter((each) => !this.#takenInVain.has(each));
    return {
      acknowledged: this.acknowledged,
      accounts: this.accounts,
      deleted: this.deleted,
      taken: taken.map(({ token, recipients }) => ({ token, recipients })),
    };
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

  /** The server dies of `provoke`, at that sync, and is started again. Rejects where it does not die. */
  async dieAt(sync: FatalSync, provoke: () => Promise<void>): Promise<void> {
    await this.quiet(); // what the log has to tell of earlier mail is told
    await orderKill(this.#killFile, sync);
    const takenBefore = this.stranger.taken.length;
    // Whoever is talking to the server when it dies is cut off.
    await Promise.allSettled([provoke()]);
    await eventually(`a death at sync ${sync.turn} of ${sync.of}`, () => this.server.hasEnded() || undefined);
    await rm(this.#killFile);
    for (const each of this.stranger.taken.slice(takenBefore)) this.#takenInVain.add(each);
    await this.server.start();
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

  /** What came before is only the way to what follows. In a scene of several acts, the first one that says so decides. */
  async beginToWatch(): Promise<void> {
    if (this.watchedFrom > 0) return;
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
