/**
 * An upgrade as a package makes it: other files in the place of the program, then a process of the new version that takes over,
 * with a store whose layout changes, while mail comes in. And the way back: the older version refuses the newer store, and says how.
 */

import { equal, match, ok } from 'node:assert/strict';
import { cp, mkdir, readdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { laterVersion, makeLater } from '../later-version.ts';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { nothingLost, Stream } from '../peers/stream.ts';
import { run } from '../process.ts';
import { scenario } from '../runner.ts';
import type { World } from '../world.ts';

const root = join(import.meta.dirname, '..', '..');
const alice = 'alice@example.com';
const from = 'sender@example.org';
/** Mail comes in for so long before the upgrade, and after it. */
const streamMs = 1000;
/** The data are of another version (sysexits.h: EX_DATAERR). */
const badData = 65;

export const upgrade = scenario('upgrade: a newer version takes over under load', async (stage) => {
  const { world, step, say } = stage;
  const [place, older] = [await install(world, 'program'), await install(world, 'older')];
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world),
    accounts: { [alice]: 'secret' },
    protocols: ['smtp'],
    program: join(place, 'bin/posthorn'),
    more: { abuse: { connectionsPerMinute: 0 }, guard: { enabled: false } },
  });
  const port = server.port('smtp');
  const send = async (id: string) => {
    match(await deliver(port, { from, to: [alice] }, letter({ from, to: alice, id })), /^250/);
    await arrival(server.maildir(alice), id);
  };
  let pid = server.pid;
  const stop = async () => {
    process.kill(pid, 'SIGTERM');
    while (isAlive(pid)) await pause(50);
  };
  world.atEnd(async () => {
    if (pid !== server.pid && isAlive(pid)) await stop();
  });
  let layouts = { before: 0, after: 0 };
  const kept = async () => {
    const all = join(server.dataDir, 'before-upgrade');
    const [name = ''] = await readdir(all);
    return join(all, name);
  };

  await step(
    'the new version changes the store and takes over: nobody is refused, nothing is lost',
    async () => {
      const stream = new Stream(port, { from, to: alice });
      world.atEnd(() => stream.stop());
      await send('before');
      await pause(streamMs);
      layouts = await makeLater(place);
      const { code, output } = await server.command(['handover']);
      equal(code, 0, output);
      pid = Number(/^Process (\d+) has taken over from \d+\.$/m.exec(output)?.[1]);
      equal(await server.exited, 0);
      await send('afterwards');
      await pause(streamMs);
      await nothingLost(await stream.stop(), server.maildir(alice), say);
    },
  );

  await step('the store as it was is kept, and the log says where', async () => {
    const directory = await kept();
    match(directory, new RegExp(`/schema-${layouts.before}-[^/]*$`));
    const line = (await server.log()).split('\n').find((each) => each.includes(directory)) ?? '';
    const { from: before, to: after } = JSON.parse(line);
    equal(before, layouts.before);
    equal(after, layouts.after);
  });

  const olderProgram = join(older, 'bin/posthorn');
  await step('the older version refuses the store, and names both versions and the way back', async () => {
    await stop();
    const { code, output } = await run(olderProgram, ['serve', '--config', server.configFile]);
    equal(code, badData, output);
    match(
      output,
      new RegExp(
        `written by Posthorn ${laterVersion.replaceAll('.', '\\.')}, with schema version ${layouts.after};`,
      ),
    );
    match(output, new RegExp(`versions up to ${layouts.before}: run that version, or a newer one`));
    ok(output.includes(await kept()), output);
  });

  await step('which it can go: with the store of before, it serves again', async () => {
    const store = join(server.dataDir, 'store');
    await rename(store, `${store}.newer`);
    await rename(await kept(), store);
    const { code, output } = await run(olderProgram, ['store', 'check', '--config', server.configFile]);
    equal(code, 0, output);
    await cp(join(older, 'src'), join(place, 'src'), { recursive: true });
    await cp(join(older, 'package.json'), join(place, 'package.json'));
    await server.start();
    pid = server.pid;
    await send('by the older one');
  });
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // there is no such process
  }
};

/** The program as it lies on a machine, in a place of its own. */
async function install(world: World, name: string): Promise<string> {
  const place = world.path(name);
  await mkdir(place, { recursive: true });
  for (const part of ['bin', 'src', 'package.json'])
    await cp(join(root, part), join(place, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(place, 'node_modules'));
  return place;
}
