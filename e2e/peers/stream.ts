/** Senders that connect again and again, one after the other, as the world does while a server changes under them. */

import { equal, ok } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { letter } from '../letters.ts';
import { countMaildir, readMaildir } from '../maildir.ts';
import { eventually } from '../wait.ts';
import { openDialogue } from './dialogue.ts';

/** Connections. */
export const perSecond = 25;

export interface Streamed {
  connections: number;
  /** Names of the messages that were answered with 250. */
  acknowledged: string[];
  /** Connections that did not come about. */
  refused: number;
  /** Closed without a word, or in the middle of a transaction. */
  cut: string[];
  /** Asked to come again, by 421. */
  sentAway: number;
}

/** Connects again and again, as many senders would, until it is stopped. */
export class Stream {
  readonly #port: number;
  readonly #from: string;
  readonly #to: string;
  readonly #senders = new Set<Promise<void>>();
  readonly #acknowledged: string[] = [];
  #refused = 0;
  /** Closed without a word, or in the middle of a transaction. */
  #cut: string[] = [];
  #sentAway = 0;
  #count = 0;
  #isOver = false;
  readonly #running: Promise<void>;

  constructor(port: number, { from, to }: { from: string; to: string }) {
    this.#port = port;
    [this.#from, this.#to] = [from, to];
    this.#running = this.#run();
  }

  async stop(): Promise<Streamed> {
    this.#isOver = true;
    await this.#running;
    await Promise.all(this.#senders);
    const { refused, cut, sentAway } = { refused: this.#refused, cut: this.#cut, sentAway: this.#sentAway };
    return { connections: this.#count, acknowledged: this.#acknowledged, refused, cut, sentAway };
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const sender = this.#send(`stream-${++this.#count};`).finally(() => this.#senders.delete(sender));
      this.#senders.add(sender);
      await pause(1000 / perSecond);
    }
  }

  async #send(id: string): Promise<void> {
    // Why makes no difference: each one that is refused is counted, and none may be.
    const dialogue = await openDialogue(this.#port).catch(() => undefined);
    if (dialogue === undefined) return void this.#refused++;
    let said = 'the greeting';
    const hear = async (): Promise<string> => {
      const reply = await dialogue.reply();
      if (reply.startsWith('421')) throw new SentAway();
      return reply;
    };
    try {
      await hear();
      const [from, to] = [this.#from, this.#to];
      for (const line of ['EHLO client.example.org', `MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, 'DATA']) {
        said = line;
        await dialogue.send(`${line}\r\n`);
        await hear();
      }
      said = 'the end of the message';
      await dialogue.send(letter({ from, to, id }));
      await dialogue.send('.\r\n');
      if (/^250/.test(await hear())) this.#acknowledged.push(id);
    } catch (error) {
      if (error instanceof SentAway) this.#sentAway++;
      else this.#cut.push(`${id} after ${said}: ${error instanceof Error ? error.message : error}`);
    } finally {
      dialogue.close();
    }
  }
}

/** By 421: it may come again. */
class SentAway extends Error {}

/** That nobody was refused or cut off, and that all that was acknowledged is in the Maildir; says how many there were. */
export async function nothingLost(
  { connections, acknowledged, refused, cut, sentAway }: Streamed,
  maildir: string,
  say: (text: string) => void,
): Promise<void> {
  const lost = await lostOf(acknowledged, maildir);
  say(
    `${connections} connections: ${refused} refused, ${cut.length} cut off, ${sentAway} asked to come again; ` +
      `${acknowledged.length} messages acknowledged, ${lost.length} lost`,
  );
  equal(refused, 0);
  equal(cut.length, 0, cut.join('\n'));
  equal(lost.length, 0, lost.join(' '));
  ok(acknowledged.length > perSecond);
}

/** Those of the messages that are in no file of a Maildir, some time after all of them should be there. */
async function lostOf(acknowledged: readonly string[], maildir: string): Promise<string[]> {
  await eventually(
    'all that was acknowledged',
    async () => (await countMaildir(maildir)) >= acknowledged.length || undefined,
  );
  const stored = (await readMaildir(maildir)).map(String).join('\n');
  return acknowledged.filter((id) => !stored.includes(id));
}
