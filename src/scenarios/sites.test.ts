import { createReadStream } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { replay } from '../queue/recording.ts';
import { eventually } from '../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { startWorld, type World } from '../testing/world.ts';

const minute = 60_000;
const hour = 60 * minute;
const sender = 'sender@example.com';
const [hosting, slow] = ['127.0.0.81', '127.0.0.82'];
const customers = Array.from({ length: 60 }, (_, number) => `customer${number}.example`);

let world: World<'example.com'>;
let clock: FakeClock;
let port: number;

beforeAll(async () => {
  clock = fakeClock(Date.now());
  port = await freePort([hosting, slow]);
  world = await startWorld({
    servers: {
      'example.com': {
        accounts: { [sender]: 'secret', 'postmaster@example.com': 'secret' },
        settings: {
          delivery: { port, lifetimeHours: 6, scheduleTrace: 'schedule.jsonl' },
          site: [
            { mx: ['slow.example'], messagesPerHour: 20 },
            { domains: ['brief.example'], messagesPerConnection: 2 },
          ],
        },
      },
    },
    dns: {
      ...Object.fromEntries(
        customers.map((domain) => [
          domain,
          {
            MX: [
              [10, 'mx1.hosting.example'],
              [10, 'mx2.hosting.example'],
            ],
          },
        ]),
      ),
      'mx1.hosting.example': { A: [hosting] },
      'mx2.hosting.example': { A: [hosting] },
      'slow.example': { MX: [[10, 'mx.slow.example']] },
      'mx.slow.example': { A: [slow] },
      'brief.example': { MX: [[10, 'mx.brief.example']] },
      'mx.brief.example': { A: [slow] },
    },
    dnsTtl: 864_000,
    clock,
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const server = () => world.servers['example.com'];

const handIn = (recipients: string[]) =>
  server().withAdmin((admin) =>
    admin.send({
      from: sender,
      recipients,
      content: Buffer.from(`From: ${sender}\r\nSubject: x\r\n\r\nHello.\r\n`),
    }),
  );

const waiting = async () => (await server().withAdmin((admin) => admin.listQueue({ limit: 1000 }))).jobs;

/** Lets so much time pass, in steps; after each, waits until what it brought about is over. */
async function pass(durationMs: number, stepMs: number): Promise<void> {
  for (const end = clock.now() + durationMs; clock.now() < end; ) {
    clock.advance(stepMs);
    await eventually(
      async () => {
        clock.advance(20); // the schedule pauses now and then
        return (await waiting()).every(({ claimed }) => !claimed) || undefined;
      },
      { timeoutMs: 30_000, explain: () => 'an attempt that does not end' },
    );
  }
}

/** Somebody listens at the address, and hangs up on everybody; resolves to how to count and to end that. */
async function hangingUp(address: string) {
  let calls = 0;
  const listener = createServer((socket) => {
    calls++;
    socket.on('error', () => undefined); // the client may be gone first
    socket.destroy();
  });
  await new Promise<void>((resolve) => listener.listen(port, address, resolve));
  return {
    calls: () => calls,
    close: () => new Promise<void>((resolve) => void listener.close(() => resolve())),
  };
}

describe('a thousand domains on one set of MX hosts', () => {
  test('P7: while the hosts are down, one probe stands for all their mail, also after a restart', async () => {
    const down = await hangingUp(hosting);
    // Both hosts of the set are called in one attempt.
    const attempts = () => down.calls() / 2;
    for (let letter = 0; letter < 5; letter++)
      for (let first = 0; first < customers.length; first += 4)
        await handIn(customers.slice(first, first + 4).map((domain) => `p${letter}@${domain}`));
    await pass(minute / 2, 10_000);
    expect(await waiting()).toHaveLength(300);
    expect(attempts()).toBeLessThanOrEqual(4); // two may have been under way at once
    await pass(hour, minute / 2);
    const inAnHour = attempts();
    expect(inAnHour).toBeGreaterThanOrEqual(5);
    expect(inAnHour).toBeLessThanOrEqual(10); // after 1, 2, 4, 8, 15 … minutes

    await server().restart();
    await pass(hour, minute / 2);
    expect(attempts() - inAnHour).toBeGreaterThanOrEqual(4);
    expect(attempts() - inAnHour).toBeLessThanOrEqual(8);

    await down.close();
    await using up = await startReceiver({ address: hosting, port });
    await pass(hour, minute / 2);
    expect(await waiting()).toEqual([]);
    expect(up.taken.flatMap(({ recipients }) => recipients)).toHaveLength(300);
  }, 300_000);
});

describe('a [[site]] of the configuration', () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver({ address: slow, port });
  });
  afterAll(() => receiver[Symbol.asyncDispose]());

  test('P7: gets no more messages on a connection than it says', async () => {
    await Promise.all(Array.from({ length: 9 }, (_, number) => handIn([`b${number}@brief.example`])));
    await eventually(() => Promise.resolve(receiver.taken.length === 9 || undefined), {
      explain: () => `${receiver.taken.length} have arrived`,
    });
    const counts = Array.from(
      Map.groupBy(receiver.taken, ({ connection }) => connection).values(),
      ({ length }) => length,
    );
    expect(Math.max(...counts)).toBe(2);
    receiver.taken.length = 0;
  });

  test('P7: not-7: gets no more in an hour than it says, and what finds no room is given up in its time', async () => {
    const ids: string[] = [];
    for (let number = 0; number < 160; number++)
      ids.push((await handIn([`r${number}@slow.example`])).queueId);
    const begun = clock.now();
    const hours: number[] = [];
    const stepMs = 10_000; // nothing on the way takes so long that it would time out
    for (let steps = 0; (await waiting()).length > 0; steps++) {
      expect(clock.now() - begun).toBeLessThan(12 * hour);
      hours[Math.floor((steps * stepMs) / hour)] = receiver.taken.length;
      clock.advance(stepMs);
    }
    // An attempt takes its time, while this clock runs fast: fewer, but no more.
    for (const [index, taken] of hours.entries())
      expect(taken - (hours[index - 1] ?? 0)).toBeLessThanOrEqual(20);
    expect(hours[5]).toBeGreaterThan(60);
    expect(clock.now() - begun).toBeGreaterThan(6 * hour);
    const traces = await Promise.all(ids.map((queueId) => server().trace(queueId)));
    const failed = traces.flat().flatMap((event) => (event.event === 'failed' ? [event.data] : []));
    expect(failed).toHaveLength(160 - receiver.taken.length);
    expect(failed[0]).toMatchObject({
      status: '4.4.7',
      rule: expect.stringMatching(/full line .* its time is over/),
    });
  }, 300_000);
});

test('P7: what the server took down of its schedule replays to the same commands', async () => {
  await server().stop();
  const file = join(world.directory, 'example.com', 'schedule.jsonl');
  const { steps, difference } = await replay(createInterface({ input: createReadStream(file) }));
  expect(difference).toBeUndefined();
  expect(steps).toBeGreaterThan(300);
});
