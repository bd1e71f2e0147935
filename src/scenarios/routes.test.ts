import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NameRecords } from '../dns/zone-data.ts';
import { reply } from '../smtp/reply.ts';
import { freePort } from '../testing/free-ports.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { startWorld, type World } from '../testing/world.ts';

const sender = 'sender@example.com';
const [firstAddress, secondAddress, deadAddress] = ['127.0.0.31', '127.0.0.32', '127.0.0.33'];

let world: World<'example.com'>;
let port: number;
let first: Receiver;
let second: Receiver;

beforeAll(async () => {
  port = await freePort([firstAddress, secondAddress, deadAddress]);
  world = await startWorld({
    servers: { 'example.com': { accounts: { [sender]: 'secret' }, settings: { delivery: { port } } } },
    dns: {
      'first.example.net': { A: [firstAddress] },
      'second.example.net': { A: [secondAddress] },
      'dead.example.net': { A: [deadAddress] },
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

beforeEach(async () => {
  const certificate = world.authority.issue(['first.example.net']);
  first = await startReceiver({ address: firstAddress, port, certificate });
  second = await startReceiver({ address: secondAddress, port });
});
afterEach(async () => {
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

let domains = 0;

/** A domain with these records; each test has its own. */
function domainWith(records: NameRecords): string {
  const name = `d${++domains}.example`;
  world.dns.change({ [name]: records });
  return name;
}

async function send(...to: string[]) {
  const server = world.servers['example.com'];
  const { queueId = '' } = await server.submit({ from: sender, to });
  const recipients = await server.settled(queueId);
  const events = await server.trace(queueId);
  const tried = events.flatMap((event) => (event.event === 'attempted' ? [event.data.endpoint.host] : []));
  return { states: recipients.map(({ state }) => state), recipients, events, tried };
}

describe('the route', () => {
  test('M2: goes by preference', async () => {
    const domain = domainWith({
      MX: [
        [20, 'first.example.net'],
        [10, 'second.example.net'],
      ],
    });
    expect(await send(`ann@${domain}`)).toMatchObject({
      states: ['delivered'],
      tried: ['second.example.net'],
    });
    expect([first.taken.length, second.taken.length]).toEqual([0, 1]);
  });

  test('M2: a first MX where nobody listens (nolisting) is passed by', async () => {
    const domain = domainWith({
      MX: [
        [10, 'dead.example.net'],
        [20, 'first.example.net'],
      ],
    });
    const { states, tried } = await send(`ann@${domain}`);
    expect(states).toEqual(['delivered']);
    expect(tried).toEqual(['dead.example.net', 'first.example.net']);
  });

  test('a host that refuses to talk is passed by, too', async () => {
    first.answers.connect = reply(554, '5.3.2', 'No mail here');
    const domain = domainWith({
      MX: [
        [10, 'first.example.net'],
        [20, 'second.example.net'],
      ],
    });
    expect((await send(`ann@${domain}`)).states).toEqual(['delivered']);
    expect(second.taken).toHaveLength(1);
  });

  test('a host that defers is not passed by', async () => {
    first.answers.mail = reply(451, '4.7.1', 'Come again');
    const domain = domainWith({
      MX: [
        [10, 'first.example.net'],
        [20, 'second.example.net'],
      ],
    });
    expect((await send(`ann@${domain}`)).states).toEqual(['deferred']);
    expect(second.connections).toBe(0);
  });

  test('not-3: without any MX the domain itself is the host', async () => {
    const domain = domainWith({ A: [firstAddress] });
    expect((await send(`ann@${domain}`)).states).toEqual(['delivered']);
    expect(first.taken).toHaveLength(1);
  });

  test('not-3: a null MX ends it at once, whatever address there is', async () => {
    const domain = domainWith({ MX: [[0, '']], A: [firstAddress] });
    const { states, recipients } = await send(`ann@${domain}`);
    expect(states).toEqual(['failed']);
    expect(recipients[0]?.decidedBy?.data).toMatchObject({ status: '5.1.10' });
    expect(first.connections).toBe(0);
  });

  test('not-5: a site where nobody listens is tried again later', async () => {
    const domain = domainWith({ MX: [[10, 'dead.example.net']] });
    const { states, recipients } = await send(`ann@${domain}`);
    expect(states).toEqual(['deferred']);
    expect(recipients[0]?.decidedBy?.data).toMatchObject({
      status: '4.4.1',
      nextAttemptAt: expect.any(Number),
    });
  });

  test('duty-8: an MX that is ourselves is a loop and no way in', async () => {
    const domain = domainWith({ MX: [[10, 'mx.example.com']] });
    const { states, recipients } = await send(`ann@${domain}`);
    expect(states).toEqual(['failed']);
    expect(recipients[0]?.decidedBy?.data).toMatchObject({ status: '5.4.6' });
  });
});

describe('the dialogue', () => {
  test('P9: not-17: STARTTLS is used where it is offered, and what the certificate is worth is written down', async () => {
    const good = await send(`ann@${domainWith({ MX: [[10, 'first.example.net']] })}`);
    world.dns.change({ 'other.example.net': { A: [firstAddress] } });
    const foreign = await send(`ann@${domainWith({ MX: [[10, 'other.example.net']] })}`);
    const none = await send(`ann@${domainWith({ MX: [[10, 'second.example.net']] })}`);
    const certificates = [good, foreign, none].map(({ events }) =>
      events
        .map((event) => (event.event === 'attempted' ? event.data.tls?.certificate : undefined))
        .find(Boolean),
    );
    expect(certificates).toEqual(['verified', expect.stringContaining('other.example.net'), undefined]);
    expect([...good.states, ...foreign.states, ...none.states]).toEqual([
      'delivered',
      'delivered',
      'delivered',
    ]);
  });

  test('M5: not-11: says EHLO by our name, before and after TLS, and what the message needs', async () => {
    const { events } = await send(`ann@${domainWith({ MX: [[10, 'first.example.net']] })}`);
    const attempt = events.find((event) => event.event === 'attempted');
    const said = attempt?.event === 'attempted' ? attempt.data.dialogue.map(([, line]) => line) : [];
    expect(said.filter((line) => line.startsWith('C:')).slice(0, 4)).toEqual([
      'C: EHLO mx.example.com',
      'C: STARTTLS',
      'C: EHLO mx.example.com',
      expect.stringMatching(/^C: MAIL FROM:<sender@example\.com> .*BODY=8BITMIME/),
    ]);
    expect(first.taken[0]?.parameters).toMatchObject({
      BODY: '8BITMIME',
      SIZE: expect.stringMatching(/^\d+$/),
    });
  });

  test('not-2: the next letter goes over the same connection, to its own recipients only', async () => {
    const domain = domainWith({ MX: [[10, 'second.example.net']] });
    await send(`ann@${domain}`);
    const { events } = await send(`eve@${domain}`);
    expect(second.taken.map(({ connection, recipients }) => [connection, recipients])).toEqual([
      [1, [`ann@${domain}`]],
      [1, [`eve@${domain}`]],
    ]);
    expect(events.find(({ event }) => event === 'attempted')?.data).toMatchObject({ reused: true });
  });

  test('two recipients of one letter at one host share a transaction, also of two domains', async () => {
    const records: NameRecords = { MX: [[10, 'second.example.net']] };
    const people = [`ann@${domainWith(records)}`, `eve@${domainWith(records)}`];
    expect((await send(...people)).states).toEqual(['delivered', 'delivered']);
    expect(second.taken.map(({ recipients }) => recipients)).toEqual([people]);
  });
});
