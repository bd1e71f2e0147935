import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { headStartMs } from '../delivery/connections/address-race.ts';
import { defaultPoolLimits } from '../delivery/connections/pool.ts';
import type { NameRecords } from '../dns/zone-data.ts';
import { blackHole } from '../testing/black-hole.ts';
import { eventually } from '../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { startReceiver } from '../testing/receiver.ts';
import { startWorld, type World } from '../testing/world.ts';

const sender = 'sender@example.com';
const [good, strange] = ['127.0.0.61', '127.0.0.62'];

let world: World<'example.com'>;
let clock: FakeClock;
let port: number;
const parts: AsyncDisposable[] = [];

beforeAll(async () => {
  clock = fakeClock(Date.now());
  port = await freePort([good, strange, '::1']);
  world = await startWorld({
    servers: { 'example.com': { accounts: { [sender]: 'secret' }, settings: { delivery: { port } } } },
    dns: {
      'both.example.net': { A: [good], AAAA: ['::1'] },
      'good.example.net': { A: [good] },
      'strange.example.net': { A: [strange] },
    },
    clock,
  });
});
afterEach(async () => {
  for (const part of parts.splice(0)) await part[Symbol.asyncDispose]();
});
afterAll(() => world[Symbol.asyncDispose]());

let domains = 0;

async function submit(...hosts: string[]): Promise<string> {
  const domain = `d${++domains}.example`;
  const MX: NameRecords['MX'] = hosts.map((host, index) => [index, host]);
  world.dns.change({ [domain]: { MX } });
  const { queueId = '' } = await world.servers['example.com'].submit({ from: sender, to: `ann@${domain}` });
  return queueId;
}

async function outcome(queueId: string) {
  const [recipient] = await world.servers['example.com'].settled(queueId);
  const events = await world.servers['example.com'].trace(queueId);
  const attempts = events.flatMap((event) => (event.event === 'attempted' ? [event.data] : []));
  return { state: recipient?.state, attempts };
}

test('P13: a black-holed IPv6 costs the head start, and the next connection not even that', async () => {
  parts.push(await startReceiver({ address: good, port }), await blackHole('::1', port));
  const first = await submit('both.example.net');
  await eventually(
    () => {
      clock.advance(headStartMs);
      return world.servers['example.com']
        .trace(first)
        .then((events) => events.some(({ event }) => event === 'delivered') || undefined);
    },
    { explain: () => 'not delivered over IPv4' },
  );
  expect((await outcome(first)).attempts).toMatchObject([{ endpoint: { address: good }, outran: ['::1'] }]);

  clock.advance(2 * defaultPoolLimits.idleMs); // the connection is gone
  const { state, attempts } = await outcome(await submit('both.example.net')); // no time passes
  expect(state).toBe('delivered');
  expect(attempts).toMatchObject([{ endpoint: { address: good }, reused: false }]);
  expect(attempts[0]).not.toHaveProperty('outran');
});

test('bad input: an MX that answers garbage is passed by, and waited for where it is alone', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  server.listen(port, strange);
  await once(server, 'listening');
  parts.push({ [Symbol.asyncDispose]: async () => void server.close() });
  parts.push(await startReceiver({ address: good, port }));

  const alone = await outcome(await submit('strange.example.net'));
  expect(alone.state).toBe('deferred');
  expect(alone.attempts).toMatchObject([{ error: expect.stringContaining('HTTP/1.1 400') }]);
  const { state, attempts } = await outcome(await submit('strange.example.net', 'good.example.net'));
  expect([state, attempts.length]).toEqual(['delivered', 2]);
});
