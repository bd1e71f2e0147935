import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { zone } from '../dns/zone.ts';
import { systemClock } from '../util/clock.ts';
import { directAsker } from './dns-direct.ts';
import { serveZone } from './dns-server.ts';

test('directAsker() asks one server, over TCP where the reply is long', async () => {
  const long = Array.from({ length: 9 }, (_, index) => `${index}`.repeat(200));
  await using server = await serveZone(zone({ example: { SOA: { serial: 1 }, TXT: long } }));
  const ask = directAsker({ clock: systemClock });
  const reply = await ask(server, { name: 'example', type: 'TXT' });
  expect(reply).toMatchObject({ authoritative: true, rcode: 'NOERROR' });
  expect('answers' in reply && reply.answers.map(({ text }) => text)).toEqual(long);
});

test('directAsker() tells where nobody listens, and where nobody answers', async () => {
  const closed = await serveZone(zone({}));
  await closed.close();
  const ask = directAsker({ clock: systemClock, timeoutMs: 20 });
  expect(await ask(closed, { name: 'example', type: 'A' })).toMatchObject({ isUnheard: true });
  const deaf = createSocket('udp4');
  deaf.bind(0, '127.0.0.1');
  await once(deaf, 'listening');
  const { address, port } = deaf.address();
  const question = { name: 'example', type: 'A' } as const;
  expect(await ask({ address, port }, question)).toEqual({ error: 'no reply within 20 ms' });
  deaf.close();
});
