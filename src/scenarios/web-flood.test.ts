import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { crowdedIdleMs } from '../net/crowd.ts';
import { requestMs } from '../net/http-limits.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { LineConnection } from '../testing/line-connection.ts';
import { askWeb } from '../testing/web-client.ts';
import { startWorld, type World } from '../testing/world.ts';

const address = '127.0.0.1';
const bob = 'bob@example.com';
const rooms = 40;

vi.setConfig({ testTimeout: 60_000 });

let world: World<'example.com'>;
let clock: FakeClock;
let port: number;
let proxied: number;
beforeAll(async () => {
  [port, proxied] = [await freePort([address]), await freePort([address])];
  clock = fakeClock(Date.now());
  world = await startWorld({
    servers: {
      'example.com': {
        accounts: { [bob]: 'secret' },
        listeners: [
          { protocol: 'http', address, port },
          { protocol: 'http', address, port: proxied, proxied: true },
        ],
        settings: {
          web: { connections: rooms, connectionsPerAddress: 1000 },
          // As many as the web may have, and not one more.
          limits: { sessions: rooms },
          abuse: { exempt: [], connectionsPerMinute: 0 },
        },
      },
    },
    clock,
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const com = () => world.servers['example.com'];

async function mailArrives(subject: string): Promise<void> {
  const { queueId = '' } = await com().receive({ from: 'ann@example.org', to: bob, subject });
  expect(await com().settled(queueId)).toMatchObject([{ state: 'delivered' }]);
}

describe('those who never come to an end', () => {
  test('take no room from mail, and lose theirs', async () => {
    const slow = await Promise.all(
      Array.from({ length: rooms }, () => LineConnection.open({ address, port })),
    );
    for (const each of slow) each.write('GET / HTTP/1.1\r\nHost: mx.example.com\r\nX: ');
    await using late = await LineConnection.open({ address, port });
    expect(await late.line()).toBe('HTTP/1.1 429 Too Many Requests');
    await mailArrives('in a crowd');
    // Where there are nearly as many as there may be, they have less time.
    for (let spent = 0; spent < crowdedIdleMs; spent += 1000) {
      for (const each of slow) each.write('x');
      clock.advance(1000);
    }
    for (const each of slow) expect(await each.line()).toBe('HTTP/1.1 408 Request Timeout');
    await expect
      .poll(async () => (await askWeb({ port, host: 'mx.example.com', path: '/healthz' })).status)
      .toBe(200);
  });

  test('have a little more where there is room', async () => {
    await using slow = await LineConnection.open({ address, port });
    slow.write('GET / HTTP/1.1\r\n');
    await askWeb({ port, host: 'mx.example.com', path: '/healthz' }); // by now it has been let in
    clock.advance(requestMs - 1);
    slow.write('Host: mx.example.com\r\n\r\n');
    expect(await slow.line()).toBe('HTTP/1.1 301 Moved Permanently');
  });
});

test('10,000 requests are answered while mail flows', async () => {
  const count = 10_000;
  const agent = new Agent({ keepAlive: true, maxSockets: rooms / 2 });
  const ask = () =>
    new Promise<number>((resolve, reject) => {
      const asking = request({
        host: address,
        port,
        agent,
        path: '/healthz',
        headers: { host: 'mx.example.com' },
      });
      asking.once('error', reject).once('response', (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
      });
      asking.end();
    });
  const heard = new Map<number, number>();
  let asked = 0;
  const visitor = async () => {
    while (asked < count) {
      asked += 1;
      const status = await ask();
      heard.set(status, (heard.get(status) ?? 0) + 1);
    }
  };
  let arrived = 0;
  const mail = async () => {
    while (asked < count) {
      await mailArrives(`letter ${arrived}`);
      arrived += 1;
    }
  };
  await Promise.all([mail(), ...Array.from({ length: rooms / 2 }, visitor)]);
  agent.destroy();
  expect(heard).toEqual(new Map([[200, count]]));
  expect(arrived).toBeGreaterThan(5);
});

test('who is banned at the doors of mail is not let in behind another web server either', async () => {
  const ask = (client: string) =>
    askWeb({
      port: proxied,
      host: 'mx.example.com',
      path: '/healthz',
      headers: { 'x-forwarded-for': client },
    });
  await com().withAdmin((admin) => admin.addBan({ network: '198.51.100.7', by: 'test' }));
  expect((await ask('198.51.100.8')).status).toBe(200);
  const { status, headers, body } = await ask('198.51.100.7');
  expect([status, headers['retry-after']]).toEqual([429, '60']);
  expect(body).toMatch(/198\.51\.100\.7/);
});
