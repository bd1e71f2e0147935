import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { reply } from '../smtp/reply.ts';
import { eventually } from '../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { startWorld, type World } from '../testing/world.ts';
import type { WorldServer } from '../testing/world-server.ts';

const minute = 60_000;
const hour = 60 * minute;
const sender = 'sender@example.com';
const accounts = { [sender]: 'secret', 'postmaster@example.com': 'secret' };

/** One of our servers, and what it does in time. */
class Traveller {
  readonly #server: WorldServer;
  readonly #clock: FakeClock;

  constructor(server: WorldServer, clock: FakeClock) {
    this.#server = server;
    this.#clock = clock;
  }

  async submit(to: string): Promise<string> {
    const { queueId = '' } = await this.#server.submit({ from: sender, to });
    await this.#server.settled(queueId);
    return queueId;
  }

  async #waiting(queueId: string) {
    const { jobs } = await this.#server.withAdmin((admin) => admin.listQueue({ queueId, limit: 10 }));
    return jobs[0];
  }

  /** Lets time pass until just the next attempt, and waits until it has been made; resolves to how long that was. */
  async nextAttempt(queueId: string): Promise<number> {
    const before = await this.#waiting(queueId);
    if (before === undefined) throw new Error(`${queueId} is not in the queue`);
    const waitMs = before.nextAttemptAt - this.#clock.now();
    this.#clock.advance(waitMs);
    const made = async () => {
      this.#clock.advance(1); // should the moment have been planned only after it had come
      const job = await this.#waiting(queueId);
      return job === undefined || job.attempts > before.attempts || undefined;
    };
    await eventually(made, { explain: () => `no further attempt of ${queueId}` });
    return waitMs;
  }

  /** What became of the only recipient, and which rule decided it. */
  async outcome(queueId: string): Promise<{ event: string; rule: string }> {
    const events = await this.#server.trace(queueId);
    const last = events.findLast(({ event }) =>
      ['delivered', 'deferred', 'failed', 'inDoubt'].includes(event),
    );
    const rule = last !== undefined && 'rule' in last.data ? last.data.rule : undefined;
    return { event: last?.event ?? 'nothing', rule: rule ?? '' };
  }

  /** The kinds of report about a message, in order. */
  async reports(queueId: string): Promise<string[]> {
    const events = await this.#server.trace(queueId);
    return events.flatMap((event) => (event.event === 'reported' ? [event.data.kind] : []));
  }

  /** A report in the sender's inbox that holds all this. */
  report(...about: string[]): Promise<string> {
    return eventually(
      async () => {
        const letters = (await this.#server.inbox(sender)).map((letter) =>
          letter.replace(/\r\n[ \t]+/g, ' '),
        );
        return letters.find((letter) => about.every((each) => letter.includes(each)));
      },
      { explain: () => `no report with ${about.join(', ')}` },
    );
  }
}

describe('a receiver that has its reasons', () => {
  const strangers = '127.0.0.61';
  let world: World<'example.com'>;
  let clock: FakeClock;
  let port: number;
  let receiver: Receiver;
  let us: Traveller;

  beforeAll(async () => {
    clock = fakeClock(Date.now());
    port = await freePort([strangers, '::1']);
    world = await startWorld({
      servers: {
        'example.com': {
          accounts,
          settings: {
            source: [{ address: '127.0.0.71' }, { address: '127.0.0.72' }, { address: '::1' }],
            delivery: { port },
          },
        },
      },
      dns: {
        'example.net': { MX: [[10, 'mx.example.net']] },
        'mx.example.net': { A: [strangers] },
        'six.example': { MX: [[10, 'mx.six.example']] },
        'mx.six.example': { A: [strangers], AAAA: ['::1'] },
      },
      clock,
    });
    us = new Traveller(world.servers['example.com'], clock);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  beforeEach(async () => {
    receiver = await startReceiver({ address: strangers, port });
  });
  afterEach(() => receiver[Symbol.asyncDispose]());

  /** Lets a recipient in when so much time has passed since the same client asked first; who comes early begins anew. */
  function greylist(waitMs: number, says: (seconds: number) => string): void {
    const since = new Map<string, number>();
    receiver.answers.recipient = (path, client) => {
      const key = `${client} ${path}`;
      const waited = clock.now() - (since.get(key) ?? clock.now());
      if (since.has(key) && waited >= waitMs) return undefined;
      since.set(key, clock.now());
      return reply(451, '4.7.1', says(Math.ceil(waitMs / 1000)));
    };
  }

  test('M7: who greylists gets it at the first moment that it allows, from the same of our addresses', async () => {
    greylist(299_000, (seconds) => `Greylisted, please try again in ${seconds} seconds`);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const queueId = await us.submit(`${name}@example.net`);
      expect(await us.outcome(queueId)).toMatchObject({
        event: 'deferred',
        rule: expect.stringMatching(/^greylisting/),
      });
      const waitMs = await us.nextAttempt(queueId);
      expect(waitMs).toBeGreaterThanOrEqual(299_000);
      expect(waitMs).toBeLessThan(299_000 + 10_000);
      expect(await us.outcome(queueId)).toMatchObject({ event: 'delivered' });
    }
    expect(receiver.named).toHaveLength(12);
  });

  test('M7: the next time, the first retry comes when it is likely to succeed', async () => {
    const server = world.servers['example.com'];
    await server.withAdmin((admin) => admin.resetReceivers({}));
    greylist(12 * minute, () => 'Greylisted');
    const letters = async (count: number): Promise<number[]> => {
      const attempts: number[] = [];
      for (let number = 0; number < count; number++) {
        const queueId = await us.submit(`m${clock.now()}@example.net`);
        let tries = 1;
        for (; (await us.outcome(queueId)).event !== 'delivered'; tries++) await us.nextAttempt(queueId);
        attempts.push(tries);
      }
      return attempts;
    };
    // Of each of our two addresses that receiver has to learn for itself, and which one a letter goes from is chance.
    for (let learned = 0, tried = 0; learned < 2; tried++) {
      expect(tried).toBeLessThan(40);
      if ((await letters(1))[0] === 3) learned++;
    }
    expect(await letters(3)).toEqual([2, 2, 2]);
    const known = await eventually(
      async () => {
        clock.advance(10_000);
        const list = await server.withAdmin((admin) => admin.listReceivers());
        return list.length > 0 ? list : undefined;
      },
      { explain: () => 'nothing was learned' },
    );
    expect(known[0]).toMatchObject({
      site: expect.stringContaining('mx.example.net'),
      waitsMs: expect.arrayContaining([expect.any(Number)]),
    });
    expect(await server.withAdmin((admin) => admin.resetReceivers({}))).toEqual({ count: known.length });
  });

  test('M6: a full mailbox heals: the sender is told once that it is tried again', async () => {
    receiver.answers.recipients = { 'full@example.net': reply(552, '5.2.2', 'Mailbox full', 'Tell her') };
    const queueId = await us.submit('full@example.net');
    expect(await us.outcome(queueId)).toMatchObject({
      event: 'deferred',
      rule: expect.stringMatching(/the mailbox is full.*careful/),
    });
    const report = await us.report(queueId, 'Action: delayed');
    expect(report).toContain('Tell her');
    expect(report).toContain('Status: 5.2.2');
    expect(await us.nextAttempt(queueId)).toBe(hour);
    receiver.answers.recipients = {};
    await us.nextAttempt(queueId);
    expect(await us.outcome(queueId)).toMatchObject({ event: 'delivered' });
    expect(await us.reports(queueId)).toEqual(['delay']);
  });

  test('M6: one that stays full is given up within 24 hours', async () => {
    receiver.answers.recipients = { 'full@example.net': reply(552, '', 'Too many recipients') };
    const queueId = await us.submit('full@example.net');
    let waitedMs = 0;
    for (let attempt = 0; attempt < 3; attempt++) waitedMs += await us.nextAttempt(queueId);
    expect(waitedMs).toBeLessThan(24 * hour);
    expect(await us.outcome(queueId)).toMatchObject({
      event: 'failed',
      rule: expect.stringMatching(/it has not: given up/),
    });
    expect(await us.reports(queueId)).toEqual(['delay', 'failure', 'postmaster']);
  });

  test('P13: who refuses our IPv6 gets the same message at once over IPv4, and nobody a bounce', async () => {
    await using other = await startReceiver({ address: '::1', port });
    other.answers.message = reply(
      550,
      '5.7.1',
      '[2001:db8::1] Gmail has detected that this message',
      'does not meet IPv6 sending guidelines regarding PTR records and',
      'authentication. For more information, go to',
      'https://support.google.com/mail/?p=IPv6AuthError',
    );
    const queueId = await us.submit('ann@six.example');
    expect(await us.outcome(queueId)).toMatchObject({ event: 'delivered' });
    expect([other.named.length, receiver.taken.length]).toEqual([1, 1]);
    expect(await us.reports(queueId)).toEqual([]);
    const events = await world.servers['example.com'].trace(queueId);
    const moved = events.flatMap((event) => (event.event === 'attempted' ? [event.data.moved ?? ''] : []));
    expect(moved).toEqual([expect.stringContaining('to be tried over IPv4'), '']);
  });

  test('a delay is told of after four hours, once, and the end after five days', async () => {
    receiver.answers.recipients = { 'late@example.net': reply(450, '4.2.0', 'Not today') };
    const queueId = await us.submit('late@example.net');
    let waitedMs = 0;
    while ((await us.reports(queueId)).length === 0) waitedMs += await us.nextAttempt(queueId);
    expect(Math.abs(waitedMs - 4 * hour)).toBeLessThan(minute);
    const warning = await us.report(queueId, 'Action: delayed');
    expect(warning).toContain('Will-Retry-Until: ');
    expect(warning).toContain('It is tried again, and you need not send it again');
    while ((await us.outcome(queueId)).event !== 'failed') waitedMs += await us.nextAttempt(queueId);
    expect(waitedMs).toBeGreaterThan(113 * hour); // the last wait of six hours, and its jitter, would end too late
    expect(waitedMs).toBeLessThanOrEqual(120 * hour);
    expect(await us.reports(queueId)).toEqual(['delay', 'failure', 'postmaster']);
    expect(await us.report(queueId, 'Action: failed')).toContain('Not today');
  });
});

describe('a receiver that drops the connection after the final dot', () => {
  const dropping = [
    'S: 220 mx\nC: EHLO …\nS: 250 mx',
    'C: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\nC: DATA\nS: 354 go\nC: (message)\n== hang up',
  ].join('\n');

  test('is asked three times, first again after ten minutes; then the sender hears that it may have arrived', async () => {
    await using peer = await scriptedPeer([dropping, dropping, dropping]);
    const clock = fakeClock(Date.now());
    await using world = await startWorld({
      servers: {
        'example.com': { accounts, settings: { delivery: { port: peer.endpoint.port } } },
      },
      dns: { 'example.net': { MX: [[10, 'mx.example.net']] }, 'mx.example.net': { A: ['127.0.0.1'] } },
      clock,
    });
    const us = new Traveller(world.servers['example.com'], clock);
    const queueId = await us.submit('ann@example.net');
    expect(await us.outcome(queueId)).toMatchObject({
      event: 'inDoubt',
      rule: expect.stringMatching(/final dot/),
    });
    expect(await us.nextAttempt(queueId)).toBe(10 * minute);
    expect(await us.outcome(queueId)).toMatchObject({ event: 'inDoubt' });
    expect(await us.reports(queueId)).toEqual([]);
    await us.nextAttempt(queueId);
    expect(await us.outcome(queueId)).toMatchObject({
      event: 'failed',
      rule: expect.stringMatching(/may have arrived/),
    });
    await peer.played();
    expect(peer.messages).toHaveLength(3);
    const report = await us.report(queueId, 'multipart/report');
    expect(report).toContain('may have been delivered to this recipient, or it may not.');
    expect(report).toContain('Action: failed');
    expect(await us.reports(queueId)).toEqual(['failure', 'postmaster']);
  });
});
