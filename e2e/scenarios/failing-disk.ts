/** A disk that is full, or that can only be read any more, is no damage; and what it is that fails is told. */

import { deepEqual, equal, match } from 'node:assert/strict';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toCrlf } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { flood } from '../peers/flood.ts';
import { type Posthorn, program, startPosthorn } from '../peers/posthorn.ts';
import { run } from '../process.ts';
import { scenario } from '../runner.ts';
import { smallDisk } from '../small-disk.ts';

const alice = 'alice@example.com';
const count = 40;
const nobody = '65534';

/** The exit codes of sysexits(3). */
const inputOutput = 74;
const noPermission = 77;

export const failingDisk = scenario(
  'corruption: a disk that is full or read-only is not called damaged',
  async ({ world, step, skip }) => {
    const disk = await smallDisk(world);
    if (disk === undefined) {
      skip(
        'store check on a failing disk',
        'mounting a tmpfs in a namespace of its own is not permitted here',
      );
      return;
    }
    const server = await startPosthorn(world, {
      dnsPort: await startDns(world),
      accounts: { [alice]: 'secret' },
      relay: { trustedNetworks: ['127.0.0.0/8'] },
      delivery: { relayHost: `127.0.0.1:${await world.port()}` },
      dataDir: `${disk.dir}/data`,
      inside: disk.inside,
    });
    const [accounts, letter] = [world.path('accounts.csv'), world.path('letter.eml')];
    await writeFile(accounts, manyAccounts);
    await writeFile(letter, longLetter);
    const store = disk.seenFromOutside(join(server.dataDir, 'store'));
    const full = new RegExp(`^posthorn: The disk of ${server.dataDir} is full. Make room there`);

    const isSound = async () => {
      const before = await contentsOf(store);
      const { code, output } = await server.command(['store', 'check']);
      equal(`${code} ${output}`, `0 Nothing is wrong with ${server.dataDir}.\n`);
      deepEqual(await contentsOf(store), before);
    };

    const whereItFails = async (what: string) => {
      await step(`a full disk, ${what}: store check finds nothing, and changes nothing`, async () => {
        await disk.fill();
        await isSound();
      });
      await step(`a read-only disk, ${what}: the same`, async () => {
        await disk.setWritable(false);
        await isSound().finally(() => disk.setWritable(true));
      });
    };

    await step(`${count} messages wait; the disk fills up: commands say so, exit code 74`, async () => {
      await flood({
        port: server.port('smtp'),
        first: 0,
        count,
        connections: 10,
        from: 'sender@example.org',
        to: ['recipient@example.net'],
        acknowledged: () => {},
      });
      await disk.fill();
      await isTold(server, ['account', 'import', accounts], full);
      await isTold(server, ['send', '--from', alice, '--to', alice, '--file', letter], full);
    });

    await step('killed', () => server.kill());
    await whereItFails('with a log');

    await step(
      'started on a full disk: mail is refused with 452, and commands say so, exit code 74',
      async () => {
        await server.start();
        const reply = await deliver(
          server.port('smtp'),
          { from: alice, to: [alice] },
          toCrlf(Buffer.from(longLetter)),
        );
        match(reply, /^452[ -]4\.3\.1/);
        await isTold(server, ['account', 'import', accounts], full);
        equal(await server.stop(), 0);
      },
    );

    await step('with room again, it starts, and stops in order', async () => {
      await disk.makeRoom();
      await server.start();
      equal(await server.stop(), 0);
    });
    await whereItFails('without a log');

    await step('a user who may not use the data directory is told so: exit code 77', async () => {
      await disk.makeRoom();
      const configFile = world.path('for-others.toml');
      await writeFile(configFile, `hostname = "mx.example.com"\ndataDir = "${server.dataDir}"\n`);
      for (const mode of [0o700, 0o755]) {
        await chmod(disk.seenFromOutside(server.dataDir), mode);
        await isNotPermitted(configFile, disk.inside);
      }
    });
  },
);

async function contentsOf(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).sort();
  const contents = await Promise.all(names.map((name) => readFile(join(directory, name), 'base64')));
  return Object.fromEntries(names.map((name, index) => [name, contents[index] ?? '']));
}

async function isTold(server: Posthorn, args: string[], text: RegExp): Promise<void> {
  const { code, stderr } = await server.command(args);
  match(stderr, text);
  equal(code, inputOutput);
}

/** More than what is kept free for the log could take. */
const manyAccounts = Array.from(
  { length: 20_000 },
  (_, number) => `user${number}@example.com,"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$${'A'.repeat(43)}"\n`,
).join('');

const longLetter = `Subject: long\n\n${'A line of the letter.\n'.repeat(50_000)}`;

async function isNotPermitted(configFile: string, inside: readonly string[]): Promise<void> {
  for (const command of [['check'], ['salvage', '--to', '/nowhere']]) {
    const [first = '', ...words] = [...inside, 'setpriv', '--reuid', nobody, '--clear-groups', program];
    const { code, stderr } = await run(first, [...words, 'store', ...command, '--config', configFile]);
    match(stderr, /^posthorn: this user may not use .*Run posthorn as (?:root|the user that owns it)/);
    equal(code, noPermission);
  }
}
