/** A snapshot while mail pours in, brought back elsewhere; and backups and restores that are killed at any moment. */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readMaildir } from '../maildir.ts';
import { startDns } from '../peers/dns.ts';
import { flood, messageId, numberIn } from '../peers/flood.ts';
import { type Posthorn, program, startPosthorn } from '../peers/posthorn.ts';
import { startSink } from '../peers/sink.ts';
import { run, runOk, start } from '../process.ts';
import { scenario } from '../runner.ts';
import { missing, numbersIn, repeated } from '../tally.ts';
import { eventually } from '../wait.ts';

const alice = 'alice@example.com';
const kills = 5;
/** As long as a backup of this size takes, and a little more. */
const longestMs = 900;
/** Mail pours so long until there is a rate, and so long again until the first backup: half of what is backed up. */
const pourMs = 400;
/** Every so manieth message is large, and lies in the spool. */
const largeEvery = 20;
const large = 'A line of a large message.\r\n'.repeat(5000);
const small = 'A line.\r\n'.repeat(100);

interface Pouring {
  acknowledged: Set<number>;
  stop(): Promise<void>;
}

/** Sends to a mailbox and to another server until it is told to stop. */
function pour(server: Posthorn, from = 0): Pouring {
  const acknowledged = new Set<number>();
  let next = from;
  let stopping = false;
  const poured = (async () => {
    while (!stopping)
      next = await flood({
        port: server.port('smtp'),
        first: next,
        count: 100,
        connections: 5,
        from: 'sender@example.org',
        to: [alice, 'recipient@example.net'],
        body: (number) => (number % largeEvery === 0 ? large : small),
        acknowledged: (number) => acknowledged.add(number),
      });
  })();
  return {
    acknowledged,
    async stop() {
      stopping = true;
      await poured;
    },
  };
}

const perSecond = (count: number, ms: number) => Math.round((count * 1000) / ms);

export const backup = scenario('backup: under load, restored elsewhere, killed', async (stage) => {
  const { world, step, say } = stage;
  const dnsPort = await startDns(world);
  // Of the first server nothing gets out: all of it is in the snapshot, to be released or not.
  const common = { dnsPort, relay: { trustedNetworks: ['127.0.0.0/8'] } };
  const server = await startPosthorn(world, {
    ...common,
    accounts: { [alice]: 'secret' },
    delivery: { relayHost: `127.0.0.1:${await world.port()}` },
  });
  const backups = world.path('backups');
  const restored = world.path('restored');
  const snapshots = async () => (await readdir(backups)).filter((name) => /^\d/.test(name)).sort();
  let promised = new Set<number>();

  await step('two snapshots while mail pours in; the second copies only what is new', async () => {
    const pouring = pour(server);
    await pause(pourMs);
    const before = { count: pouring.acknowledged.size, at: performance.now() };
    await pause(pourMs);
    const quiet = perSecond(pouring.acknowledged.size - before.count, performance.now() - before.at);
    const first = await snapshot(server, backups);
    const [count, at] = [pouring.acknowledged.size, performance.now()];
    promised = new Set(pouring.acknowledged);
    const second = await snapshot(server, backups);
    const during = perSecond(pouring.acknowledged.size - count, performance.now() - at);
    await pouring.stop();
    deepEqual(second.warnings, []);
    // What lay in the first, but for what was on its way then, is not copied again.
    const again = second.copiedFiles - (second.files - first.files);
    ok(again < first.files / 4 + 50, `${again} of ${first.files} were copied again`);
    say(
      `${first.files} files (${first.bytes} octets) in ${first.tookMs} ms, the store held for ${first.heldMs} ms; ` +
        `then ${second.copiedFiles} of ${second.files} in ${second.tookMs} ms; ${quiet} messages/s without, ${during} with a backup`,
    );
  });

  await step('every file is as it was written', async () => {
    const { stdout } = await runOk(program, ['backup', 'verify', backups]);
    equal(String(stdout).match(/: whole: /g)?.length, 2);
    const [name = ''] = await snapshots();
    await runOk('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: join(backups, name) });
  });

  await step('the snapshot is restored elsewhere, and the mailboxes are equal', async () => {
    await server.stop();
    const { output } = await runOk(program, ['restore', backups, '--to', restored]);
    match(output, /recipients at other servers on hold/);
    const name = (await snapshots()).at(-1) ?? '';
    await runOk('diff', ['-r', join(backups, name, 'data', 'accounts'), join(restored, 'accounts')]);
    const again = await run(program, ['restore', backups, '--to', restored]);
    match(again.output, /is not empty/);
  });

  const sink = await startSink(world);
  const revived = await startPosthorn(world, {
    ...common,
    name: 'revived',
    dataDir: restored,
    delivery: { relayHost: `127.0.0.1:${sink.port}` },
  });

  await step(
    'its user logs in, and finds every message that was acknowledged before the snapshot, once',
    async () => {
      const url = `pop3://127.0.0.1:${revived.port('pop3')}/`;
      await runOk('curl', ['-sSk', '--ssl-reqd', '-u', `${alice}:secret`, url]);
      await eventually('all of them', async () => {
        const numbers = numbersIn(await readMaildir(revived.maildir(alice)));
        return missing(promised, numbers).length === 0 ? true : undefined;
      });
      deepEqual(repeated(numbersIn(await readMaildir(revived.maildir(alice)))), new Map());
    },
  );

  await step('what was to go elsewhere is held; its dossier says why; released, it arrives', async () => {
    const some = [...promised].at(-1) ?? 0;
    const trace = await revived.command(['trace', messageId(some)]);
    match(trace.output, /Put on hold by restore/);
    match(trace.output, /it may have been delivered after the snapshot/);
    equal(sink.received.length, 0);
    await revived.command(['queue', 'release', '--all']);
    await eventually('all at the sink', async () => {
      await revived.command(['queue', 'retry', '--all']); // what was tried before the snapshot has its time to wait

      const numbers = sink.received.map(({ content }) => numberIn(content) ?? -1);
      return missing(promised, numbers).length === 0 ? true : undefined;
    });
  });

  await step(`a backup that is killed ${kills} times leaves whole snapshots`, async () => {
    const pouring = pour(revived, 1_000_000);
    let whole = (await snapshots()).length;
    for (let number = 0; number < kills; number++) {
      const running = start(
        program,
        ['backup', backups, '--keep', '3', '--config', revived.configFile],
        world.path('killed'),
      );
      await pause(Math.random() * longestMs);
      await running.kill();
      const now = (await snapshots()).length;
      ok(now >= Math.min(whole, 3), `${now} snapshots are left of ${whole}`);
      whole = now;
    }
    // Also where the store was held for the last of them: it has gone.
    const { warnings } = await snapshot(revived, backups, '--keep', '2');
    await pouring.stop();
    deepEqual(warnings, []);
    equal((await snapshots()).length, 2);
    deepEqual(
      (await readdir(backups)).filter((name) => name.startsWith('.')),
      [],
    );
    await runOk(program, ['backup', 'verify', backups]);
  });

  await step(`a restore that is killed ${kills} times is known as unfinished, and done anew`, async () => {
    await revived.stop();
    const place = world.path('place');
    const isUnfinished = () => existsSync(join(place, 'restore-unfinished'));
    for (let number = 0; number < kills; number++) {
      const running = start(program, ['restore', backups, '--to', place], world.path('killed'));
      // Before that it has only read. After a kill the mark is there already.
      await eventually('the beginning', () => isUnfinished() || undefined);
      await pause(number === 0 ? 0 : longestMs * Math.random());
      await running.kill();
      // One that had come to its end is no use for the next kill.
      if (!isUnfinished()) await rm(place, { recursive: true });
    }
    const last = start(program, ['restore', backups, '--to', place], world.path('killed'));
    await eventually('the beginning', () => isUnfinished() || undefined);
    await last.kill();
    const config = await readFile(revived.configFile, 'utf8');
    await writeFile(world.path('place.toml'), config.replace(restored, place));
    const refused = await run(program, ['serve', '--config', world.path('place.toml')]);
    match(refused.output, /a restore into it did not come to its end/);
    await runOk(program, ['restore', backups, '--to', place]);
    const name = (await snapshots()).at(-1) ?? '';
    await runOk('diff', ['-r', join(backups, name, 'data', 'accounts'), join(place, 'accounts')]);
  });
});

async function snapshot(server: Posthorn, directory: string, ...options: string[]) {
  const { stdout, code, output } = await server.command(['backup', directory, '--json', ...options]);
  equal(code, 0, output);
  return JSON.parse(String(stdout));
}
