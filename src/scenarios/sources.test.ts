import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../testing/free-ports.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { startWorld, type World } from '../testing/world.ts';

const people = ['news@example.com', 'ann@example.com', 'eve@example.com'] as const;
const [news, ann, eve] = people;

let world: World<'example.com' | 'example.net'>;

beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.com': {
        accounts: Object.fromEntries(people.map((address) => [address, 'secret'])),
        settings: {
          source: [
            { address: '127.0.0.51', ehloName: 'news.example.com', senders: [news] },
            { address: '127.0.0.52' },
            { address: '127.0.0.53', senders: [eve] },
            { address: '::1', senders: [eve] },
          ],
        },
      },
      'example.net': { accounts: { 'bob@example.net': 'secret' } },
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** What the receiver has seen of who came. */
async function arrival(from: string, subject: string) {
  const { 'example.com': com, 'example.net': net } = world.servers;
  const { queueId = '' } = await com.submit({ from, to: 'bob@example.net', subject });
  await com.settled(queueId);
  const attempted = (await com.trace(queueId)).find((event) => event.event === 'attempted');
  const accepted = (await net.trace('bob@example.net')).find(
    (event) => event.event === 'accepted' && event.data.from === from,
  );
  return {
    client: accepted?.event === 'accepted' ? accepted.data.client : undefined,
    attempted: attempted?.event === 'attempted' ? attempted.data : undefined,
  };
}

describe('sources', () => {
  test('a sender has an address of its own, with its own name', async () => {
    const { client, attempted } = await arrival(news, 'news');
    expect(client).toMatchObject({ address: '127.0.0.51', helo: 'news.example.com' });
    expect(attempted).toMatchObject({
      endpoint: { address: '127.0.0.1', source: '127.0.0.51' },
      sourceRule: 'IPv6 is not used: no source of it is configured for this sender',
    });
  });

  test('the others share what is for everybody, and no connection is shared between sources', async () => {
    const { client, attempted } = await arrival(ann, 'other');
    expect(client).toMatchObject({ address: '127.0.0.52', helo: 'mx.example.com' });
    expect(attempted).toMatchObject({ endpoint: { source: '127.0.0.52' }, reused: false });
    const again = await arrival(ann, 'once more');
    expect(again.attempted).toMatchObject({ endpoint: { source: '127.0.0.52' }, reused: true });
  });
});

describe('a sender for whose way there no source is configured', () => {
  let world: World<'example.com'>;
  let receiver: Receiver;

  beforeAll(async () => {
    const port = await freePort(['127.0.0.1']);
    receiver = await startReceiver({ address: '127.0.0.1', port });
    world = await startWorld({
      servers: {
        'example.com': {
          accounts: { [news]: 'secret', [ann]: 'secret' },
          settings: {
            delivery: { port },
            source: [
              { address: '127.0.0.51', senders: [news] },
              { address: '::1', senders: [ann] },
            ],
          },
        },
      },
      dns: { 'example.net': { MX: [[10, 'mx.example.net']] }, 'mx.example.net': { A: ['127.0.0.1'] } },
    });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  /** The last of what is known of a letter. */
  async function fateOf(from: string) {
    const server = world.servers['example.com'];
    const { queueId = '' } = await server.submit({ from, to: 'bob@example.net' });
    await server.settled(queueId);
    return (await server.trace(queueId)).at(-1);
  }

  test('waits, and holds up nobody else', async () => {
    expect(await fateOf(ann)).toMatchObject({
      event: 'deferred',
      data: { status: '4.4.4', rule: expect.stringContaining('for the operator to mend') },
    });
    expect(await fateOf(news)).toMatchObject({ event: 'delivered' });
  });
});
