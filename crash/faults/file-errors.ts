/**
 * EIO in a message's own files. In the maildrop who hands it in is told; in the spool the client is told to come again, in the Maildir the delivery waits for its
 * next attempt; once the disk works again everything arrives, once, and nothing is left lying about.
 */

import { equal, match } from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { letter } from '../../e2e/letters.ts';
import { readMaildir } from '../../e2e/maildir.ts';
import { runEmpty, traced } from '../../e2e/peers/control.ts';
import { deliver } from '../../e2e/peers/dialogue.ts';
import { startDns } from '../../e2e/peers/dns.ts';
import { type Posthorn, startPosthorn } from '../../e2e/peers/posthorn.ts';
import { type Scenario, scenario } from '../../e2e/runner.ts';
import { eventually } from '../../e2e/wait.ts';
import { type DiskOperation, failingDisk } from './shim.ts';

const alice = 'alice@example.com';
const sender = 'sender@example.org';

/** Beyond 64 KiB, so that there is a spool file. */
const longBody = 'A line of a long letter.\r\n'.repeat(10_000);

interface Fault {
  what: string;
  operation: DiskOperation;
  /** See FailingDisk. */
  path: string;
}

const inSpool: readonly Fault[] = [
  { what: 'a write into the spool', operation: 'write', path: '/spool/' },
  { what: 'a sync of a spool file', operation: 'sync', path: '/spool/' },
  { what: "a sync of the spool's directory", operation: 'sync', path: '/spool$' },
];

const inMaildir: readonly Fault[] = [
  { what: 'a write into the Maildir', operation: 'write', path: '/Maildir/tmp/' },
  { what: 'a sync of a file in the Maildir', operation: 'sync', path: '/Maildir/tmp/' },
  { what: 'a sync of the directory new/', operation: 'sync', path: '/Maildir/new$' },
];

export const fileErrors: Scenario = scenario(
  'EIO in spool and Maildir: later, and not lost',
  async ({ world, step }) => {
    const disk = await failingDisk(world);
    const server = await startPosthorn(world, {
      inside: disk.inside,
      dnsPort: await startDns(world),
      accounts: { [alice]: 'secret' },
      protocols: ['smtp'],
    });
    const send = (id: string, body?: string) => {
      const content = letter({ from: sender, to: alice, id, ...(body !== undefined && { body }) });
      return deliver(server.port('smtp'), { from: sender, to: [alice] }, content);
    };

    for (const [index, { what, operation, path }] of inSpool.entries()) {
      await step(`${what} fails: 451, no file is left, and the next time it is taken`, async () => {
        const id = `spool-${index};`;
        match(await disk.failing(operation, path, () => send(id, longBody)), /^451 4\.3\.0/);
        equal(await filesIn(server, 'spool'), 0);
        match(await send(id, longBody), /^250/);
        await arrivedOnce(server, id);
      });
    }

    for (const [index, { what, operation, path }] of inMaildir.entries()) {
      await step(`${what} fails: deferred, and delivered once when the disk works again`, async () => {
        const id = `maildir-${index};`;
        await disk.failing(operation, path, async () => {
          match(await send(id), /^250/);
          match(await deferralOf(server, id), /EIO|i\/o error/i);
        });
        await arrivedOnce(server, id);
      });
    }
  },
);

const filesIn = async ({ dataDir }: Posthorn, folder: string): Promise<number> =>
  (await readdir(join(dataDir, folder))).length;

async function deferralOf(server: Posthorn, id: string): Promise<string> {
  return eventually('a deferral', async () => {
    const events = await traced(server, `<${id}@letters.example>`);
    return events.flatMap((each) => (each.event === 'deferred' ? [each.data.reason] : []))[0];
  });
}

async function arrivedOnce(server: Posthorn, id: string): Promise<void> {
  await runEmpty(server);
  const messages = await readMaildir(server.maildir(alice));
  equal(messages.filter((message) => message.includes(id)).length, 1);
  equal(await filesIn(server, 'accounts/alice@example.com/Maildir/tmp'), 0);
  await eventually('an empty spool', async () => (await filesIn(server, 'spool')) === 0 || undefined);
}
