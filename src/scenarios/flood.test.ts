import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort } from '../testing/free-ports.ts';
import { LineConnection } from '../testing/line-connection.ts';
import { startWorld, type World } from '../testing/world.ts';

const ours = '127.0.0.1';
const bob = 'bob@example.com';
const count = 10_000;
const atOnce = 200;

vi.setConfig({ testTimeout: 120_000 });

/** Behind a proxy, so that one machine can be all of the clients. */
let world: World<'example.com'>;
beforeAll(async () => {
  const listener = [];
  for (const protocol of ['smtp', 'submissions'] as const)
    listener.push({ protocol, address: ours, port: await freePort([ours]), proxyProtocol: [ours] });
  const settings = { listener, abuse: { exempt: [] }, limits: { sessions: 500 } };
  world = await startWorld({
    servers: { 'example.com': { accounts: { [bob]: 'secret' }, settings } },
    dns: {},
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const com = () => world.servers['example.com'];
const header = (client: string) => `PROXY TCP4 ${client} 192.0.2.25 40000 25\r\n`;

/** What a client hears first. */
async function knock(client: string): Promise<string> {
  const { address, port } = com().endpoint('smtp', ours);
  const socket = connect({ host: address, port });
  socket.on('error', () => undefined);
  socket.write(header(client));
  const heard = await Promise.race([
    once(socket, 'data').then(([data]) => String(data)),
    once(socket, 'close').then(() => 'closed'),
  ]);
  socket.destroy();
  return heard.slice(0, 3);
}

/** Comes so often, many at once; what was heard, how often. */
async function flood(clientOf: (index: number) => string): Promise<Map<string, number>> {
  const heard = new Map<string, number>();
  let next = 0;
  const visitor = async () => {
    for (let index = next++; index < count; index = next++) {
      const words = await knock(clientOf(index)).catch(() => 'closed');
      heard.set(words, (heard.get(words) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, visitor));
  return heard;
}

async function say(session: LineConnection, line: string): Promise<string> {
  let answer = await session.ask(line);
  while (/^\d{3}-/.test(answer)) answer = await session.line();
  return answer;
}

/** A stranger's server that has a message for bob: whether it is taken. */
async function deliver(): Promise<string> {
  await using session = await LineConnection.open(com().endpoint('smtp', ours));
  session.write(header('192.0.2.99'));
  await session.line();
  const lines = ['HELO mx.friend.example', 'MAIL FROM:<>', `RCPT TO:<${bob}>`, 'DATA'];
  for (const line of lines) await say(session, line);
  return await say(session, 'Subject: hello\r\n\r\nhello\r\n.');
}

/** Delivers until the flood is over; what was answered. */
async function deliverDuring(flooding: Promise<unknown>): Promise<string[]> {
  let isOver = false;
  void flooding.finally(() => {
    isOver = true;
  });
  const answers = [];
  while (!isOver) answers.push(await deliver());
  return answers;
}

const heapMb = () => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

describe('a flood', () => {
  test('of 10,000 connections from one address: most are refused, others are served all the time', async () => {
    const before = heapMb();
    const flooding = flood(() => '203.0.113.1');
    const answers = await deliverDuring(flooding);
    const heard = await flooding;
    expect(answers.length).toBeGreaterThan(0);
    expect(new Set(answers.map((answer) => answer.slice(0, 3)))).toEqual(new Set(['250']));
    expect(heard.get('220') ?? 0).toBeLessThan(1000);
    expect([...heard.values()].reduce((sum, each) => sum + each)).toBe(count);
    const { counts } = await com().withAdmin((admin) => admin.listBans());
    expect(
      (counts?.refused['rate of the client'] ?? 0) + (counts?.refused['sessions of the client'] ?? 0),
    ).toBe(count - (heard.get('220') ?? 0));
    expect(heapMb() - before).toBeLessThan(100);
  });

  test('from 10,000 addresses: all are served in turn, and what is remembered is bounded', async () => {
    const before = heapMb();
    const flooding = flood((index) => `10.${index >> 8}.${index & 255}.1`);
    const answers = await deliverDuring(flooding);
    const heard = await flooding;
    expect(new Set(answers.map((answer) => answer.slice(0, 3)))).toEqual(new Set(['250']));
    expect(heard.get('220')).toBe(count);
    expect(heapMb() - before).toBeLessThan(100);
  });

  test('of guesses from 50 networks: the user gets in meanwhile, and afterwards', async () => {
    const login = async (client: string, password: string): Promise<string> => {
      await using session = await LineConnection.open(com().endpoint('submissions', ours));
      session.write(header(client));
      await session.startTls({ host: com().config.hostname, authority: world.authority.cert });
      if (!(await session.line()).startsWith('220')) return 'refused';
      await say(session, 'EHLO c.example');
      return await say(session, `AUTH PLAIN ${Buffer.from(`\0${bob}\0${password}`).toString('base64')}`);
    };
    expect(await login('192.0.2.1', 'secret')).toMatch(/^235 /);
    const guesses = Array.from({ length: 100 }, (_, index) =>
      login(`198.51.${index % 50}.7`, `guess ${index}`),
    );
    const during = login('192.0.2.1', 'secret');
    expect(await during).toMatch(/^235 /);
    const answers = await Promise.all(guesses);
    for (const answer of answers) expect(answer).toMatch(/^(535|421|454) /);
    // Now it is guessed at from everywhere: closed to strangers, with the right password too; not to its user.
    expect(await login('203.0.114.1', 'secret')).toMatch(/^454 /);
    expect(await login('192.0.2.1', 'secret')).toMatch(/^235 /);
  });
});
