import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forecastsFor } from '../cli/forecasts.ts';
import { reply } from '../smtp/reply.ts';
import { eventually } from '../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { startWorld, type World } from '../testing/world.ts';

const minute = 60_000;
const hour = 60 * minute;
const sender = 'sender@example.com';
const [google, others] = ['127.0.0.91', '127.0.0.92'];

let world: World<'example.com'>;
let clock: FakeClock;
let gmail: Receiver;
let net: Receiver;

beforeAll(async () => {
  clock = fakeClock(Date.now());
  const port = await freePort([google, others]);
  world = await startWorld({
    servers: { 'example.com': { accounts: { [sender]: 'secret' }, settings: { delivery: { port } } } },
    dns: {
      'gmail.com': { MX: [[5, 'gmail-smtp-in.l.google.com']] },
      'hosted.example': { MX: [[1, 'aspmx.l.google.com']] },
      'gmail-smtp-in.l.google.com': { A: [google] },
      'aspmx.l.google.com': { A: [google] },
      'example.net': { MX: [[10, 'mx.example.net']] },
      'mx.example.net': { A: [others] },
    },
    clock,
  });
  gmail = await startReceiver({ address: google, port });
  net = await startReceiver({ address: others, port });
});
afterAll(async () => {
  await gmail[Symbol.asyncDispose]();
  await net[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const waiting = async () => {
  const { jobs } = await world.servers['example.com'].withAdmin((admin) => admin.listQueue({ limit: 100 }));
  return jobs;
};

/** Lets time pass until just the next attempts, and waits until they have been made, again and again. */
async function passTime(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const next = Math.min(...(await waiting()).map(({ nextAttemptAt }) => nextAttemptAt));
    if (next === Number.POSITIVE_INFINITY) return;
    clock.advance(Math.max(0, next - clock.now()));
    await eventually(
      async () => {
        clock.advance(50); // the schedule pauses now and then; nothing that is under way times out by this
        const jobs = await waiting();
        return jobs.every((job) => !job.claimed && job.nextAttemptAt > clock.now()) || undefined;
      },
      { timeoutMs: 30_000, explain: () => 'an attempt that does not end' },
    );
  }
}

describe('a receiver that has enough of us', () => {
  test('P7: gmail answers 421 for 2 h: a few probes, other mail goes on, and then it drains', async () => {
    const us = world.servers['example.com'];
    gmail.answers.connect = reply(421, '4.7.28', 'Gmail has detected an unusual rate of mail');
    const letters: string[] = [];
    for (let number = 0; number < 20; number++) {
      const to = number % 2 === 0 ? `r${number}@gmail.com` : `r${number}@hosted.example`;
      const { queueId = '' } = await us.submit({ from: sender, to });
      letters.push(queueId);
      await us.settled(queueId);
    }
    // Both domains are one Google: the first attempts found out, and the others were told without one.
    expect(gmail.connections).toBeLessThanOrEqual(3);
    const [last = ''] = letters.slice(-1);
    const { data } = await us.event(last, 'deferred');
    expect(data.rule).toMatch(/^the site asked us to slow down at .*: not tried, later again$/);

    const { queueId = '' } = await us.submit({ from: sender, to: 'x@example.net' });
    expect(await us.settled(queueId)).toMatchObject([{ state: 'delivered' }]);

    const lines = await us.withAdmin(async (admin) =>
      forecastsFor(admin, await admin.trace({ subject: last, limit: 1 })),
    );
    expect(lines).toEqual([
      '',
      expect.stringMatching(
        /^\S+ {2}r19@hosted\.example is likely to go in about \d+ (?:seconds|minutes?) \(.*\): the site google\.com is slowed down, as it asked, until .*421 4\.7\.28 Gmail has detected/,
      ),
    ]);

    const end = clock.now() + 2 * hour;
    await passTime(() => clock.now() >= end);
    expect(gmail.connections).toBeGreaterThan(5);
    expect(gmail.connections).toBeLessThanOrEqual(16); // 1 + 2 + 4 + 8 + 15 … minutes
    expect(gmail.taken).toEqual([]);

    gmail.answers.connect = undefined;
    await passTime(() => gmail.taken.length === letters.length);
    expect(gmail.taken).toHaveLength(letters.length);
    const recipients = new Set(gmail.taken.flatMap((message) => message.recipients));
    expect(recipients.size).toBe(letters.length);
    expect(net.connections).toBeGreaterThan(0);
  }, 150_000);
});
