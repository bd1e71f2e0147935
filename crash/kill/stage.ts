/** Where the kill rounds take place: the server as users run it, a sink as the world outside, and the books. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startDns } from '../../e2e/peers/dns.ts';
import { type Posthorn, startPosthorn } from '../../e2e/peers/posthorn.ts';
import { startSink } from '../../e2e/peers/sink.ts';
import type { World } from '../../e2e/world.ts';
import { Ledger } from './ledger.ts';
import { firstLarge, firstMedium } from './letters.ts';

/** Keeps all of its mail. */
export const alice = 'alice@example.com';
/** Fetches its mail by POP3 and deletes it, round after round. */
export const bob = 'bob@example.com';
export const password = 'correct horse';
export const outsider = 'recipient@example.net';

/** The sink answers the end of data so late that there is always something under way. */
const replyDelayMs = 15;

export type Size = 'small' | 'medium' | 'large';

export interface Stage {
  readonly world: World;
  readonly server: Posthorn;
  readonly ledger: Ledger;
  /** A Maildir of bob's own, where the POP3 client puts what it fetched. */
  readonly fetched: string;
  /** performance.now() of each kill. */
  readonly killedAt: number[];
  /** The next numbers to be used for messages (see letters.ts). */
  readonly next: Record<Size, number>;
  /** Enters into the books what has come into the Maildirs since the last time. */
  lookIntoMaildirs(): Promise<void>;
}

export async function startStage(world: World): Promise<Stage> {
  const ledger = new Ledger();
  const sink = await startSink(world, {
    replyDelayMs,
    keep: ({ recipients, content, at }) => {
      for (const recipient of recipients) ledger.find(recipient, content, at);
    },
  });
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world),
    accounts: { [alice]: password, [bob]: password },
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    delivery: { relayHost: `127.0.0.1:${sink.port}` },
  });
  const fetched = world.path('fetched');
  const looks = [
    newMail(server.maildir(alice), (message) => ledger.find(alice, message)),
    newMail(fetched, (message) => ledger.find(bob, message)),
  ];
  return {
    world,
    server,
    ledger,
    fetched,
    killedAt: [],
    next: { small: 1, medium: firstMedium, large: firstLarge },
    lookIntoMaildirs: async () => {
      for (const look of looks) await look();
    },
  };
}

/** Returns what reads the messages that were not there the last time. */
function newMail(maildir: string, see: (message: Buffer) => void): () => Promise<void> {
  const seen = new Set<string>();
  return async () => {
    const files = (await Promise.all(['new', 'cur'].map((part) => filesIn(join(maildir, part))))).flat();
    for (const file of files.filter((each) => !seen.has(each))) {
      see(await readFile(file));
      seen.add(file);
    }
  };
}

/** An absent folder is an empty one: the first message makes it. */
async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => join(folder, name));
}
