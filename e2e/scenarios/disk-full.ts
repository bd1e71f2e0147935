/** A full disk answers 452 and loses nothing; once there is room again, mail is accepted again. */

import { match, ok } from 'node:assert/strict';
import { letter } from '../letters.ts';
import { arrival, countMaildir } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { scenario } from '../runner.ts';
import { smallDisk } from '../small-disk.ts';
import { eventually } from '../wait.ts';

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
