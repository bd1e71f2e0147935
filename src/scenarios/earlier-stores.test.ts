/** A whole server over the data of each earlier version: what waited there is delivered, and who had an account has it still. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { freePort } from '../testing/free-ports.ts';
import { keptStores, placeKeptStore } from '../testing/kept-stores.ts';
import { fetchByPop3 } from '../testing/pop3-client.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { mailTo } from '../testing/server-and-receiver.ts';
import { startWorld, type World } from '../testing/world.ts';

const strangers = '127.0.0.46';
const user = 'user@example.com';
const names = ['1SMALL', '2SMALL', '3LARGE'];
let world: World<'example.com'>;
let receiver: Receiver;

beforeAll(async () => {
  const port = await freePort([strangers]);
  receiver = await startReceiver({ address: strangers, port });
  world = await startWorld({
    servers: { 'example.com': { settings: { delivery: { port } } } },
    dns: mailTo(strangers, 'example.net', 'example.org'),
  });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

test.each(keptStores)('a server takes over the $state store of version $version', async (kept) => {
  const { 'example.com': server } = world.servers;
  await server.stop();
  for (const part of ['store', 'spool', 'accounts'])
    rmSync(join(server.config.dataDir, part), { recursive: true, force: true });
  placeKeptStore(kept, server.config.dataDir);
  receiver.taken.length = 0;
  await server.start();
  await eventually(
    async () => {
      const { waiting, underway } = await server.withAdmin((admin) => admin.countQueue({}));
      return waiting + underway === 0 || undefined;
    },
    { explain: () => `${receiver.taken.length} of 3 came to the receiver` },
  );
  for (const name of names) {
    const told = await server.trace(`<${name}@example.org>`);
    const delivered = told.filter(({ event }) => event === 'delivered');
    expect(delivered.map(({ recipient }) => recipient).sort()).toEqual(['friend@example.net', user]);
  }
  const toFriend = receiver.taken.filter(({ recipients }) => recipients.includes('friend@example.net'));
  const { messages } = await fetchByPop3({
    ...{ endpoint: server.endpoint('pop3s'), authority: world.authority.cert, user, password: 'secret' },
  });
  for (const texts of [toFriend.map(({ content }) => content), messages.map(String)]) {
    expect(texts.map((text) => /^Subject: (\w+)/m.exec(text)?.[1]).sort()).toEqual(names);
    expect(texts.find((text) => text.includes('3LARGE'))).toContain(
      'A line of a large message.\r\n'.repeat(3000),
    );
  }
});
