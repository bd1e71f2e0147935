/** A damaged store is named and not run over; what can be read is brought out, and goes on its way from a new one. */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startDns } from '../peers/dns.ts';
import { flood, mark, numberIn } from '../peers/flood.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { startSink } from '../peers/sink.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';

const alice = 'alice@example.com';
const count = 300;
const pageBytes = 8192;
const lostPages = 3;

/** The exit codes of sysexits(3) for a disk that does not do what it should, and ours for damage that was found. */
const inputOutput = 74;
const damageFound = 1;

export const corruption = scenario(
  'corruption: a damaged store is refused, checked, salvaged and restored',
  async ({ world, step }) => {
    const sinkPort = await world.port();
    const server = await startPosthorn(world, {
      dnsPort: await startDns(world),
      accounts: { [alice]: 'secret' },
      relay: { trustedNetworks: ['127.0.0.0/8'] },
      delivery: { relayHost: `127.0.0.1:${sinkPort}` },
    });
    const store = (name: string) => join(server.dataDir, 'store', name);
    const out = world.path('salvaged');

    await step(`${count} messages wait for a receiver that is down; then the server stops`, async () => {
      await flood({
        port: server.port('smtp'),
        first: 0,
        count,
        connections: 10,
        from: 'sender@example.org',
        to: ['recipient@example.net'],
        acknowledged: () => {},
      });
      equal(await server.stop(), 0);
    });

    await step('a log of a killed server with a few octets changed: the start is refused', async () => {
      await server.start();
      await server.command(['account', 'add', 'bob@example.com', '--generate']);
      await server.command(['account', 'add', 'carol@example.com', '--generate']);
      await server.kill();
      const whole = await readFile(store('posthorn.db-wal'));
      await damage(store('posthorn.db-wal'), (octets) => octets.indexOf('bob@example.com'), 4);
      const { code, stderr } = await server.command(['serve']);
      equal(code, inputOutput);
      match(stderr, /posthorn\.db-wal: /);
      await writeFile(store('posthorn.db-wal'), whole);
    });

    await step('its log gone, and an octet of the database changed: the start is refused too', async () => {
      const whole = await readFile(store('posthorn.db'));
      await rename(store('posthorn.db-wal'), store('kept'));
      await damage(store('posthorn.db'), (octets) => octets.indexOf(mark(0)), 1);
      const { code, stderr } = await server.command(['serve']);
      equal(code, inputOutput);
      match(stderr, /posthorn\.db-wal: is missing, and with it mail/);
      match(stderr, /page \d+ \(messages\) is not as it was written/);
      await writeFile(store('posthorn.db'), whole);
      await rename(store('kept'), store('posthorn.db-wal'));
    });

    await step(
      'the store is moved away under the server: no command is done, and the server stops',
      async () => {
        await server.start();
        const folder = join(server.dataDir, 'store');
        await rename(folder, `${folder}.away`);
        const { code } = await server.command(['account', 'add', 'dave@example.com', '--generate']);
        ok(code !== 0, 'it was done');
        equal(await server.exited, inputOutput);
        match(await server.log(), /posthorn\.db-wal was removed or moved away while the server ran/);
        const refused = await server.command(['serve']);
        equal(refused.code, inputOutput);
        match(refused.stderr, /has lost its store/);
        equal((await server.command(['store', 'check'])).code, damageFound);
        await rename(`${folder}.away`, folder);
        await server.start();
        equal(await server.stop(), 0);
      },
    );

    await step('a store that is whole: store check finds nothing', async () => {
      const { code, stdout } = await server.command(['store', 'check']);
      equal(`${code} ${stdout}`, `0 Nothing is wrong with ${server.dataDir}.\n`);
    });

    await step('one octet changed: the start is refused, with file, page, table and remedy', async () => {
      const place = await damage(store('posthorn.db'), (octets) => octets.indexOf(mark(count - 1)), 1);
      const page = Math.floor(place / pageBytes) + 1;
      const { code, stdout, stderr } = await server.command(['serve']);
      equal(`${code} ${stdout}`, `${inputOutput} `);
      match(stderr, new RegExp(`posthorn\\.db: page ${page} \\(messages\\) is not as it was written`));
      match(stderr, /posthorn store check/);
      match(stderr, /posthorn store salvage --to/);
    });

    await step('store check names it, and whose message it is', async () => {
      const { code, stdout } = await server.command(['store', 'check']);
      equal(code, damageFound);
      match(stdout.toString(), /page \d+ \(messages\) is not as it was written/);
      match(stdout.toString(), /message \w+ has other octets in the database than were accepted/);
    });

    await step('pages lost as well: store salvage brings out all that can be read', async () => {
      const middle = (octets: Buffer) => Math.floor(octets.length / pageBytes / 2) * pageBytes;
      await damage(store('posthorn.db'), middle, lostPages * pageBytes);
      const { code, stdout } = await server.command(['store', 'salvage', '--to', out, '--json']);
      equal(code, damageFound);
      const { messages, accounts } = JSON.parse(stdout.toString());
      ok(messages > count * 0.8 && messages < count, `${messages} of ${count} were brought out`);
      equal(accounts, 3);
      equal((await numbersIn(join(out, 'messages'))).length, messages);
    });

    await step('the store is moved away, store restore makes a new one, and the mail arrives', async () => {
      for (const part of ['store', 'spool'])
        await rename(join(server.dataDir, part), join(server.dataDir, `${part}.damaged`));
      const restored = JSON.parse(
        (await server.command(['store', 'restore', out, '--json'])).stdout.toString(),
      );
      const sink = await startSink(world, { port: sinkPort });
      await server.start();
      await server.command(['queue', 'retry', '--all']);
      await eventually(
        'all of it at the receiver',
        () => sink.received.length >= restored.messages || undefined,
      );
      const arrived = sink.received.map(({ content }) => numberIn(content) ?? -1).sort((a, b) => a - b);
      equal(new Set(arrived).size, restored.messages);
      const saved = await numbersIn(join(out, 'messages'));
      deepEqual(
        arrived.filter((number) => !saved.includes(number)),
        [],
      );
      match((await server.command(['account', 'list'])).stdout.toString(), new RegExp(alice));
    });
  },
);

/** Turns round all bits of so many octets, from the place on that `find` returns; resolves to the place. */
async function damage(file: string, find: (octets: Buffer) => number, length: number): Promise<number> {
  const octets = await readFile(file);
  const place = find(octets);
  ok(place > 0, 'there is no such place');
  for (let index = place; index < place + length; index++) octets[index] = ~(octets[index] ?? 0);
  await writeFile(file, octets);
  return place;
}

async function numbersIn(directory: string): Promise<number[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.eml'));
  const contents = await Promise.all(names.map((name) => readFile(join(directory, name))));
  return contents.map((content) => numberIn(content) ?? -1);
}
