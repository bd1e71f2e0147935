/** Where the kill rounds take place: the server as users run it, a sink as the world outside, and the books. */

import { startDns } from '../../e2e/peers/dns.ts';
import { type Posthorn, startPosthorn } from '../../e2e/peers/posthorn.ts';
import { startSink } from '../../e2e/peers/sink.ts';
import type { World } from '../../e2e/world.ts';
import { Ledger } from './ledger.ts';
import { firstLarge, firstMedium } from './letters.ts';
import { type MaildirWatch, watchMaildir } from './maildirs.ts';

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
  /** A new Maildir of bob's own, where his POP3 client puts what it fetches in the next session. */
  nextFetched(): string;
  /** performance.now() of each kill. */
  readonly killedAt: number[];
  /** The next numbers to be used for messages (see letters.ts). */
  readonly next: Record<Size, number>;
  /** Enters into the books what has come into the Maildirs since the last time. */
  lookIntoMaildirs(): Promise<void>;
  /** Who has had a message in a Maildir twice, and which: those of the server, and each of bob's own. */
  doubles(): [number: number, recipient: string][];
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
    more: { abuse: { hourlyRecipients: 0 } }, // so much is usual of nobody: it would be held
    delivery: { relayHost: `127.0.0.1:${sink.port}` },
  });
  const watches: [recipient: string, watch: MaildirWatch][] = [
    [alice, watchMaildir(server.maildir(alice), (message) => ledger.find(alice, message))],
    // What bob fetches from here is found where it comes to; but no session fetches anything twice.
    [bob, watchMaildir(server.maildir(bob), (message) => ledger.see(bob, message))],
  ];
  return {
    world,
    server,
    ledger,
    nextFetched() {
      const maildir = world.path('fetched', String(watches.length));
      watches.push([bob, watchMaildir(maildir, (message) => ledger.find(bob, message))]);
      return maildir;
    },
    killedAt: [],
    next: { small: 1, medium: firstMedium, large: firstLarge },
    lookIntoMaildirs: async () => {
      for (const [, watch] of watches) await watch.look();
    },
    doubles: () =>
      watches.flatMap(([recipient, { doubles }]) =>
        [...doubles].map((number): [number, string] => [number, recipient]),
      ),
  };
}
