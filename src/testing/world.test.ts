import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { fakeClock } from './fake-clock.ts';
import { retryQueue } from './retry-queue.ts';
import { startWorld } from './world.ts';

const sender = 'sender@example.com';
const recipient = 'recipient@example.net';

const twoServers = {
  'example.com': { accounts: { [sender]: 'secret' } },
  'example.net': { accounts: { [recipient]: 'secret' } },
};

test('startWorld() makes servers that send each other mail with all that proves it genuine', async () => {
  await using world = await startWorld({ servers: twoServers });
  const { 'example.com': com, 'example.net': net } = world.servers;
  const { queueId = '' } = await com.submit({ from: sender, to: recipient, text: 'Did it arrive?\n' });
  expect(await com.settled(queueId)).toMatchObject([{ recipient, state: 'delivered' }]);
  const [letter] = await net.inbox(recipient);
  expect(letter).toContain('Did it arrive?');
  const attempt = await com.event(queueId, 'attempted');
  expect(attempt.data.tls?.certificate).toBe('verified');
  const { data } = await net.event(recipient, 'checked');
  expect(data).toMatchObject({ spf: 'pass', dmarc: 'pass', decision: 'accept' });
  expect(data.authenticationResults).toContain('iprev=pass');
});

// Elsewhere 127.0.0.1 is the only address of the loopback interface.
const onLinux = process.platform === 'linux';

test.runIf(onLinux)('startWorld() gives more than two servers an address each', async () => {
  const third = 'third@example.org';
  await using world = await startWorld({
    servers: { ...twoServers, 'example.org': { accounts: { [third]: 'secret' } } },
  });
  const { 'example.com': com, 'example.net': net, 'example.org': org } = world.servers;
  expect([com, net, org].map((server) => server.endpoint('smtp').address)).toEqual([
    '127.0.0.11',
    '127.0.0.12',
    '127.0.0.13',
  ]);
  const { queueId = '' } = await com.submit({ from: sender, to: [recipient, third] });
  expect(await com.settled(queueId)).toMatchObject([{ state: 'delivered' }, { state: 'delivered' }]);
  expect(await net.inbox(recipient)).toHaveLength(1);
  expect(await org.inbox(third)).toHaveLength(1);
  expect((await org.event(third, 'checked')).data).toMatchObject({ spf: 'pass', dmarc: 'pass' });
});

test('startWorld() leaves nothing behind', async () => {
  const world = await startWorld({ servers: { 'example.com': {} } });
  const { directory } = world;
  expect(existsSync(`${directory}/example.com/posthorn.toml`)).toBe(true);
  await world[Symbol.asyncDispose]();
  expect(existsSync(directory)).toBe(false);
});

test('settings go into posthorn.toml, key by key', async () => {
  const settings = { limits: { recipients: 7 }, delivery: { concurrency: 3 } };
  await using world = await startWorld({ servers: { 'example.com': { settings } } });
  const { config } = world.servers['example.com'];
  expect(config.limits.recipients).toBe(7);
  expect(config.delivery).toMatchObject({ concurrency: 3, allowPrivateAddresses: true });
  expect(await readFile(config.file, 'utf8')).toContain('recipients = 7');
});

test('dns.change() counts at once', async () => {
  await using world = await startWorld({ servers: twoServers });
  const { 'example.com': com } = world.servers;
  world.dns.change({ 'example.net': { MX: [[0, '']] } });
  const { queueId = '' } = await com.submit({ from: sender, to: recipient });
  const [outcome] = await com.settled(queueId);
  expect(outcome).toMatchObject({ state: 'failed', decidedBy: { data: { status: '5.1.10' } } });
});

test('a server that is stopped is away, and after start() is the same again', async () => {
  await using world = await startWorld({ servers: twoServers });
  const { 'example.com': com, 'example.net': net } = world.servers;
  await net.stop();
  const { queueId = '' } = await com.submit({ from: sender, to: recipient });
  expect(await com.settled(queueId)).toMatchObject([{ state: 'deferred' }]);
  await net.start();
  await com.restart();
  await com.withAdmin((admin) => retryQueue(admin, { queueId }));
  expect(await net.inbox(recipient)).toHaveLength(1);
});

test('receive() brings mail from outside, without authentication', async () => {
  await using world = await startWorld({ servers: twoServers });
  const { 'example.net': net } = world.servers;
  const { replies } = await net.receive({ from: 'a@elsewhere.invalid', to: [recipient, 'b@example.net'] });
  expect([...replies].map(([to, { code, enhanced }]) => [to, code, enhanced])).toEqual([
    [recipient, 250, '2.0.0'],
    ['b@example.net', 550, '5.1.1'],
  ]);
});

test('startWorld() runs the servers by the clock it is given', async () => {
  const clock = fakeClock(Date.now());
  await using world = await startWorld({ servers: twoServers, clock });
  const { 'example.com': com, 'example.net': net } = world.servers;
  await net.stop();
  const { queueId = '' } = await com.submit({ from: sender, to: recipient });
  const [deferred] = await com.settled(queueId);
  expect(deferred).toMatchObject({ state: 'deferred' });
  await net.start();
  clock.advance(10 * 60_000);
  expect(await net.inbox(recipient)).toHaveLength(1);
});
