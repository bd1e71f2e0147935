/** A full disk answers 452 and loses nothing; once there is room again, mail is accepted again. */

import { match, ok } from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { letter } from '../letters.ts';
import { arrival, countMaildir } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { run, runOk, start } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';
import type { World } from '../world.ts';

const alice = 'alice@example.com';
const outsider = 'sender@example.org';

/** Far more than fits on the small disk. */
const manyLetters = 400;

export const diskFull = scenario('disk full: 452, and nothing lost', async ({ world, step, skip }) => {
  const disk = await smallDisk(world);
  if (disk === undefined) {
    skip('a full disk answers 452', 'mounting a tmpfs in a namespace of its own is not permitted here');
    return;
  }
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world),
    accounts: { [alice]: 'secret' },
    dataDir: `${disk.dir}/data`,
    inside: disk.inside,
  });
  const maildir = disk.seenFromOutside(server.maildir(alice));
  const body = 'A line of the letter that fills the disk.\r\n'.repeat(1_000);
  const send = (id: string) =>
    deliver(
      server.port('smtp'),
      { from: outsider, to: [alice] },
      letter({ from: outsider, to: alice, id, body }),
    );
  const acknowledged: string[] = [];

  await step('letters are accepted until the disk is full, and then get 452', async () => {
    let refusal: string | undefined;
    for (let count = 0; count < manyLetters && refusal === undefined; count += 1) {
      const id = `letter-${count};`;
      const reply = await send(id);
      if (reply.startsWith('250')) acknowledged.push(id);
      else refusal = reply;
    }
    match(refusal ?? 'no refusal', /^452 4\.3\.1/);
    ok(acknowledged.length > 10, `only ${acknowledged.length} were accepted`);
  });

  await step('when there is room again, mail is accepted again', async () => {
    await disk.makeRoom();
    await eventually('a 250', async () => ((await send('after')).startsWith('250') ? true : undefined));
    await arrival(maildir, 'after');
  });

  await step('every acknowledged letter is in the Maildir', async () => {
    // What could not be written while the disk was full is deferred; an administrator need not wait for its time.
    await eventually('an empty queue', async () => {
      await server.command(['queue', 'retry', '--recipient', alice]);
      const { stdout } = await server.command(['queue', 'list', '--json']);
      return stdout.toString().trim() === '[]' || undefined;
    });
    for (const id of acknowledged) await arrival(maildir, id);
    ok((await countMaildir(maildir)) > acknowledged.length);
  });
});

interface SmallDisk {
  dir: string;
  /** The command that runs another where the disk is mounted. */
  inside: readonly string[];
  /** A path on the disk as this process can reach it. */
  seenFromOutside(path: string): string;
  /** Removes what was put there to fill it. */
  makeRoom(): Promise<void>;
}

/**
 * A tmpfs of 64 MiB, three quarters of it taken, in a mount namespace that a sleeping process keeps alive: when that
 * ends, the disk is gone, whatever else went wrong. Undefined where the kernel does not allow it.
 */
async function smallDisk(world: World): Promise<SmallDisk | undefined> {
  const dir = world.path('small');
  await mkdir(dir);
  if ((await run('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', dir])).code !== 0) return undefined;
  const fill = `mount -t tmpfs -o size=64m none ${dir} && head -c 48M /dev/zero > ${dir}/filler`;
  const holder = start(
    'unshare',
    ['-m', 'sh', '-c', `${fill} && echo mounted && exec sleep infinity`],
    world.path('disk-log'),
  );
  await holder.line(/^mounted$/);
  world.atEnd(() => holder.kill());
  const inside = ['nsenter', '-t', String(holder.pid), '-m', '--'];
  const seenFromOutside = (path: string) => `/proc/${holder.pid}/root${path}`;
  const makeRoom = async () => {
    await runOk('rm', [seenFromOutside(`${dir}/filler`)]);
  };
  return { dir, inside, seenFromOutside, makeRoom };
}
