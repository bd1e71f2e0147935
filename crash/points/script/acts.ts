/**
 * What happens during a recording, act by act: everything that a mail server does with a disk, several times, some of it at
 * once. An act leaves nothing under way, unless it says so.
 */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../../e2e/wait.ts';
import { retryQueue } from '../../../src/testing/retry-queue.ts';
import { octetsOf, tokenIn } from './letters.ts';
import { password, type Stage } from './stage.ts';

export const alice = 'alice@example.com';
const others = ['bob', 'carol', 'dave'].map((name) => `${name}@example.com`);
const remote = 'friend@example.net';

const kib = 1024;

/** Octets of write-ahead log shortly before the server copies it back (at 2048 pages of 8 KiB; src/store/sqlite/upkeep.ts). */
const nearlyFullLog = 15.6 * kib * kib;

const writeAheadLog = 'posthorn.db-wal';

/** While the server is down: the first account makes the data directory. */
export async function addFirstAccount({ server, accounts }: Stage): Promise<void> {
  await server.command(['account', 'add', alice, '--password-stdin'], `${password}\n`);
  accounts.push(alice);
}

export const acts = {
  async mailbox(stage: Stage) {
    for (let number = 0; number < 4; number++) await stage.post(stage.letter('mailbox', [alice]));
    await stage.settled();
  },

  async remote(stage: Stage) {
    for (let number = 0; number < 3; number++) await stage.post(stage.letter('remote', [remote]));
    await stage.post(stage.letter('both', [alice, remote, 'second@example.net']));
    await stage.settled();
  },

  /** Over 64 KiB: kept in the spool, of which a file is used again when its message is gone, by shorter and by longer ones. */
  async large(stage: Stage) {
    const bodyBytes = 150 * kib;
    await stage.post(stage.letter('large-mailbox', [alice], { bodyBytes }));
    await stage.post(stage.letter('large-remote', [remote], { bodyBytes }));
    await stage.breakOff(stage.letter('large-broken', [alice], { bodyBytes }));
    await stage.settled();
    await stage.post(stage.letter('large-deferred', ['later@example.net', alice], { bodyBytes: 80 * kib }));
    await stage.settled();
    await stage.post(stage.letter('large-again', [alice, remote], { bodyBytes: 200 * kib }));
    await stage.settled();
    await stage.server.admin(retryQueue);
    await stage.settled();
  },

  async deferred(stage: Stage) {
    await stage.post(stage.letter('deferred', ['later@example.net']));
    await stage.post(stage.letter('deferred', ['later@example.net', alice]));
    await stage.settled();
    await stage.server.admin(retryQueue);
    await stage.settled();
  },

  async bounced(stage: Stage) {
    await stage.post(stage.letter('bounced', ['nobody@example.net'], { from: alice }));
    await stage.post(stage.letter('bounced', ['nobody@example.net', remote], { from: alice }));
    await stage.settled();
  },

  async handedIn(stage: Stage) {
    const letter = stage.letter('handed-in', [alice, remote], { from: alice });
    const request = { from: letter.from, recipients: [...letter.to], content: octetsOf(letter) };
    await stage.server.admin((admin) => admin.send(request));
    stage.acknowledged.push(letter.token);
    await stage.settled();
  },

  async accounts(stage: Stage) {
    for (const address of others) {
      await stage.server.admin((admin) => admin.addAccount({ address, password }));
      stage.accounts.push(address);
      const first = times(3, () => stage.post(stage.letter('first', [address])));
      await Promise.all(first); // who comes first makes the Maildir, and the others must not run ahead
    }
    await stage.settled();
  },

  /** Reads all, deletes every other one, and leaves the rest as seen. */
  async reading(stage: Stage) {
    await stage.pop3(alice, async (ask) => {
      const deleted: string[] = [];
      const count = Number((await ask('STAT')).split(' ')[1]);
      for (let number = 1; number <= count; number++) {
        const text = await ask(`RETR ${number}`, '\r\n.\r\n');
        const token = tokenIn(text);
        if (number % 2 !== 0 || token === undefined) continue;
        await ask(`DELE ${number}`);
        deleted.push(token);
      }
      await ask('QUIT');
      stage.deleted.push(...deleted);
    });
  },

  /** Many at once, so that commits and syncs of directories are shared. */
  async burst(stage: Stage) {
    const targets = [[alice], [remote], [alice, remote], ['nobody@example.net']];
    const client = () => stage.post(...targets.map((to) => stage.letter('burst', to, { from: alice })));
    await Promise.all(times(5, client));
    await stage.settled();
  },

  /** The server is killed while a remote one owes it a reply, and finds its way again. */
  async killed(stage: Stage) {
    const held = times(2, () => stage.letter('held', ['held@example.net']));
    await stage.post(...held);
    await eventually('a message without an answer', () => stage.stranger.held.length === 2 || undefined);
    await stage.quiet();
    await stage.server.kill();
    stage.stranger.difficult = false;
    await stage.server.start();
    await stage.server.emptied(); // one of them waits for what becomes of the other
  },

  /** The server is killed with mail in its log that comes in: written, and not yet synced. */
  async killedInCommit(stage: Stage) {
    await stage.post(stage.letter('before', [alice])); // begins the log anew, which is a sync too
    await stage.settled();
    await stage.beginToWatch();
    const long = stage.letter('in-commit', [alice, remote], { bodyBytes: 40 * kib });
    await stage.dieAt({ of: writeAheadLog, turn: 1 }, () => stage.post(long));
    await stage.settled();
  },

  /** The same with the end of a delivery, after the commit of its message. */
  async killedInSettling(stage: Stage) {
    await stage.post(stage.letter('before', [alice]));
    await stage.settled();
    await stage.beginToWatch();
    await stage.dieAt({ of: writeAheadLog, turn: 2 }, () => stage.post(stage.letter('in-settling', [alice])));
    await stage.settled();
  },

  /**
   * The server is killed with a message in its mailbox by its name, which is not yet synced. It is the only one: another that
   * is delivered anew after the start would sync the same directory.
   */
  async killedInDelivery(stage: Stage) {
    await stage.post(stage.letter('before', [alice]));
    await stage.settled();
    await stage.beginToWatch();
    const letter = stage.letter('in-delivery', [alice]);
    await stage.dieAt({ of: '/Maildir/new', turn: 1 }, () => stage.post(letter));
    await stage.settled();
  },

  /** The server is killed with a large message in the spool, written and not yet synced. */
  async killedInSpool(stage: Stage) {
    await stage.beginToWatch();
    const large = stage.letter('in-spool', [alice], { bodyBytes: 100 * kib });
    await stage.dieAt({ of: '/spool/', turn: 1 }, () => stage.post(large));
    await stage.settled();
  },

  async restarted(stage: Stage) {
    await stage.server.stop();
    await stage.server.start();
    await stage.post(stage.letter('restarted', [alice, remote]));
    await stage.settled();
  },

  /** Makes the write-ahead log as long as it gets, and goes on until it has been copied back into the database. */
  async checkpoint(stage: Stage) {
    const store = join(stage.server.dataDir, 'store');
    const pour = (count: number) =>
      stage.post(...times(count, () => stage.letter('fill', [remote], { bodyBytes: 58 * kib })));
    const logBytes = () => stat(join(store, writeAheadLog)).then(({ size }) => size);
    while ((await logBytes()) < nearlyFullLog - 2 * kib * kib) await Promise.all(times(4, () => pour(4)));
    while ((await logBytes()) < nearlyFullLog) await pour(1);
    await stage.settled();
    const copied = () => stat(join(store, 'posthorn.db')).then(({ mtimeMs }) => mtimeMs);
    const before = await copied();
    await stage.beginToWatch();
    while ((await copied()) === before) await stage.post(stage.letter('last-drop', [remote]));
    await stage.settled();
  },
} satisfies Record<string, (stage: Stage) => Promise<void>>;

export type ActName = keyof typeof acts;

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
