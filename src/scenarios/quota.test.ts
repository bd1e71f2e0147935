import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../testing/command-line.ts';
import { eventually } from '../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { startWorld, type World } from '../testing/world.ts';

const day = 24 * 3600_000;
const bob = 'bob@example.net';
const eve = 'eve@example.net';

let world: World<'example.net'>;
let clock: FakeClock;

beforeAll(async () => {
  clock = fakeClock(Date.now());
  world = await startWorld({
    servers: {
      'example.net': {
        accounts: { [eve]: 'secret', [bob]: 'secret' },
        domains: ['example.org'],
      },
    },
    dns: { 'stranger.example': { MX: [[10, 'mx.stranger.example']], TXT: ['v=spf1 ip4:127.0.0.1 -all'] } },
    clock,
  });
  await net().withAdmin((admin) => admin.changeSettings({ address: bob, quotaBytes: 20_000 }));
  await net().withAdmin((admin) => admin.setAlias({ address: 'team@example.net', targets: [bob, eve] }));
});
afterAll(() => world[Symbol.asyncDispose]());

const net = () => world.servers['example.net'];
const from = 'ann@stranger.example';

async function answer(to: string, bytes: number) {
  const { replies, queueId } = await net().receive({
    from,
    to,
    text: `${'x'.repeat(70)}\n`.repeat(bytes / 71),
  });
  if (queueId !== undefined) await net().settled(queueId);
  return replies.get(to);
}

test('a mailbox that is full turns mail away, for now, then for good; its user is told before', async () => {
  expect(await answer(bob, 9000)).toMatchObject({ code: 250 });
  expect(await answer(bob, 9000)).toMatchObject({ code: 250 });
  const letters = await eventually(
    async () => {
      const all = (await net().fetch(bob)).messages.map(String);
      return all.some((letter) => letter.includes('Subject: Your mailbox is 9')) ? all : undefined;
    },
    { explain: () => 'no word of a mailbox that is nearly full' },
  );
  expect(letters.filter((letter) => letter.includes('Subject: Your mailbox'))).toHaveLength(1);
  expect(await answer(bob, 9000)).toMatchObject({ code: 452, enhanced: '4.2.2' });
  expect(await answer(bob, 30_000)).toMatchObject({ code: 552, enhanced: '5.2.3' });
  clock.advance(day);
  expect(await answer(bob, 9000)).toMatchObject({ code: 552, enhanced: '5.2.2' });
});

test('what comes to an alias of which others have room is delivered to all, and nobody gets a report', async () => {
  expect(await answer('team@example.net', 9000)).toMatchObject({ code: 250 });
  expect(await net().files(eve)).toHaveLength(1);
  expect((await net().trace(bob)).map(({ event }) => event)).not.toContain('reported');
});

test('duty-1: the postmaster is reached, however full the mailbox', async () => {
  await net().withAdmin((admin) => admin.changeSettings({ address: eve, quotaBytes: 1 }));
  expect(await answer(eve, 710)).toMatchObject({ code: 552 });
  expect(await answer('postmaster@example.net', 710)).toMatchObject({ code: 250 });
  expect(await answer('abuse@example.org', 710)).toMatchObject({ code: 250 });
});

test('what was set for one mailbox is taken back by a command, while the server runs', async () => {
  const set = (...args: string[]) =>
    runCommand(['account', 'set', eve, ...args], { cwd: join(world.directory, 'example.net') });
  const limits = ['--quota', '2G', '--hourly-recipients', '70'];
  expect((await set(...limits)).out).toContain('may hold 2 GiB; held above 70 recipients');
  expect(await set('--quota', 'default', '--hourly-recipients', 'default')).toMatchObject({
    exitCode: 0,
    out: `${eve}: nothing special\n`,
  });
});
