import { afterAll, beforeAll, expect, test } from 'vitest';
import { reply } from '../smtp/reply.ts';
import { eventually } from '../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { registerTestTracer, type TestTracer } from '../testing/test-tracer.ts';
import { startWorld, type World } from '../testing/world.ts';

const sender = 'sender@example.com';
const strangers = '127.0.0.24';

let world: World<'example.com'>;
let tracer: TestTracer;
let clock: FakeClock;
let receiver: Receiver;

beforeAll(async () => {
  clock = fakeClock(Date.now());
  tracer = registerTestTracer();
  const port = await freePort([strangers]);
  receiver = await startReceiver({ address: strangers, port });
  const settings = { domain: [{ name: 'example.com', postmaster: sender }], delivery: { port } };
  world = await startWorld({
    servers: { 'example.com': { accounts: { [sender]: 'secret' }, settings } },
    dns: { 'example.net': { MX: [[10, 'mx.example.net']] }, 'mx.example.net': { A: [strangers] } },
    clock,
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
  tracer[Symbol.dispose]();
});

test('all of a message, over a kill, and the reports on it, is one trace in which nothing hangs in the air', async () => {
  const server = world.servers['example.com'];
  const [later, gone] = ['later@example.net', 'gone@example.net'];
  receiver.answers.recipients = {
    [later]: reply(451, '4.7.1', 'Come again'),
    [gone]: reply(550, '5.1.1', 'No such user'),
  };
  const { queueId = '' } = await server.submit({ from: sender, to: [later, gone], subject: 'Traced' });
  const states = (await server.settled(queueId)).map(({ state }) => state);
  expect(states.sort()).toEqual(['deferred', 'failed']);
  await server.kill();
  receiver.answers.recipients = {};
  clock.advance(3600_000);
  await server.start();
  await server.event(queueId, 'delivered');
  // Two reports of one failure, each delivered here.
  const delivered = () => tracer.written.filter(({ name, error }) => name === 'deliver' && !error);
  await eventually(async () => delivered().length >= 3 || undefined, {
    explain: () => `too few deliveries: ${JSON.stringify(tracer.written)}`,
  });

  const { written } = tracer;
  const receive = tracer.named('receive');
  expect(receive.attributes['posthorn.queue_id']).toBe(queueId);
  expect(written.filter(({ parent }) => parent === undefined)).toEqual([receive]);
  expect(new Set(written.map(({ traceId }) => traceId))).toEqual(new Set([receive.traceId]));
  const ids = new Set(written.map(({ spanId }) => spanId));
  expect(written.filter(({ parent }) => parent !== undefined && !ids.has(parent))).toEqual([]);
  expect(written.filter(({ endMs }) => endMs === undefined)).toEqual([]);
  const count = (name: string) => written.filter((span) => span.name === name).length;
  expect([count('attempt'), count('speak'), count('write')]).toEqual([2, 2, 2]);
});

test('what an application hands in with its own trace is a part of that, and nobody else sees it', async () => {
  const server = world.servers['example.com'];
  const [traceId, parent] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
  const content = Buffer.from(
    `From: ${sender}\r\nTraceparent: 00-${traceId}-${parent}-01\r\nSubject: Of an application\r\n\r\nHello.\r\n`,
  );
  const { queueId } = await server.withAdmin((admin) =>
    admin.send({ from: sender, recipients: [sender], content }),
  );
  await server.event(queueId, 'delivered');
  const own = tracer.written.filter(({ attributes }) => attributes['posthorn.queue_id'] === queueId);
  expect(own.find(({ name }) => name === 'receive')).toMatchObject({ traceId, parent });
  expect(new Set(own.map((span) => span.traceId))).toEqual(new Set([traceId]));
  const letter = (await server.inbox(sender)).find((text) => text.includes('Of an application'));
  expect(letter).toMatch(/^Subject: /m);
  expect(letter).not.toMatch(/traceparent/i);
});
