/**
 * EIO under the database. After a failed write or sync of the store nobody knows what is on disk, so nothing more is
 * acknowledged: the server says so and ends; the next start finds everything that was acknowledged before.
 */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readMaildir } from '../../e2e/maildir.ts';
import { runEmpty } from '../../e2e/peers/control.ts';
import { type Dialogue, greet } from '../../e2e/peers/dialogue.ts';
import { startDns } from '../../e2e/peers/dns.ts';
import { flood, numbered } from '../../e2e/peers/flood.ts';
import { type Posthorn, startPosthorn } from '../../e2e/peers/posthorn.ts';
import { type Scenario, type Stage, scenario } from '../../e2e/runner.ts';
import { missing, numbersIn, repeated } from '../../e2e/tally.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { failingDisk } from './shim.ts';

const alice = 'alice@example.com';
const sender = 'sender@example.org';

/** Clients whose messages lack nothing but their end when the disk begins to fail. */
const clients = 8;

/** Letters of 32 KiB: the many make the log grow above the 16 MiB at which it is copied back into the file. */
const fewLetters = 20;
const manyLetters = 800;
const body = 'A line of the letter.\r\n'.repeat(1_400);

const writeAheadLog = 'store/posthorn.db-wal$';
const database = 'store/posthorn.db$';

export const storeErrors: Scenario = scenario(
  'EIO under the store: nothing more is acknowledged',
  async (stage) => {
    const disk = await failingDisk(stage.world);
    const server = await startPosthorn(stage.world, {
      inside: disk.inside,
      dnsPort: await startDns(stage.world),
      accounts: { [alice]: 'secret' },
      protocols: ['smtp'],
    });
    const trial = new Trial(stage, server);
    await trial.play('a write of the write-ahead log fails', () =>
      trial.endAllTogether((action) => disk.failing('write', writeAheadLog, action)),
    );
    await trial.play('a sync of the write-ahead log fails', () =>
      trial.endAllTogether((action) => disk.failing('sync', writeAheadLog, action)),
    );
    await trial.play('a sync of the database file fails, when the log is copied back', () =>
      disk.failing('sync', database, () => trial.pour(manyLetters)),
    );
  },
);

/** One server, one fault after the other. */
class Trial {
  readonly #stage: Stage;
  readonly #server: Posthorn;
  readonly #acknowledged = new Set<number>();
  #next = 1;

  constructor(stage: Stage, server: Posthorn) {
    this.#stage = stage;
    this.#server = server;
  }

  async play(fault: string, provoke: () => Promise<void>): Promise<void> {
    const { step } = this.#stage;
    await this.pour(fewLetters);
    await runEmpty(this.#server); // Or it would fail at what is still to be written of these.
    await step(`${fault}: the server says so, and ends with exit code 74`, async () => {
      await provoke();
      equal(await this.#server.exited, exitCodes.inputOutput);
      match(await this.#server.log(), /store cannot write any more/i);
    });
    await step(`${fault}: after the next start all that was acknowledged is there, once`, async () => {
      await this.#server.start();
      await this.pour(fewLetters);
      await runEmpty(this.#server);
      const found = numbersIn(await readMaildir(this.#server.maildir(alice)));
      deepEqual(missing(this.#acknowledged, found), []);
      deepEqual(repeated(found), new Map());
    });
  }

  /** Sends so many letters, unless the server ends before. */
  async pour(count: number): Promise<void> {
    const first = this.#take(count);
    await flood({
      port: this.#server.port('smtp'),
      first,
      count,
      connections: 4,
      from: sender,
      to: [alice],
      body: () => body,
      acknowledged: (number) => this.#acknowledged.add(number),
    });
  }

  /** Several clients send their final dots at once, under the fault: none of them may hear a 250. */
  async endAllTogether(underFault: (action: () => Promise<string[]>) => Promise<string[]>): Promise<void> {
    const dialogues = await Promise.all(Array.from({ length: clients }, () => this.#sendAllButTheEnd()));
    const answers = await underFault(() => Promise.all(dialogues.map(answerToTheEnd)));
    ok(!answers.some((answer) => answer.startsWith('250')), answers.join('\n'));
  }

  async #sendAllButTheEnd(): Promise<Dialogue> {
    const dialogue = await greet(this.#server.port('smtp'));
    for (const line of [`MAIL FROM:<${sender}>`, `RCPT TO:<${alice}>`, 'DATA']) await dialogue.say(line);
    const letter = { number: this.#take(1), from: sender, to: [alice], body: 'Nearly there.\r\n' };
    await dialogue.send(numbered(letter));
    return dialogue;
  }

  #take(count: number): number {
    this.#next += count;
    return this.#next - count;
  }
}

/** What the client hears after its dot: a reply, or nothing more. */
async function answerToTheEnd(dialogue: Dialogue): Promise<string> {
  await dialogue.send('.\r\n');
  return dialogue.reply().catch(() => 'closed');
}
