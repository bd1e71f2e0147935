import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { reply } from '../smtp/reply.ts';
import { freePort } from '../testing/free-ports.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { startWorld, type World } from '../testing/world.ts';
import { deliverDirect } from './direct.ts';

const address = '127.0.0.41';
let world: World<'example.com'>;
let port: number;
let receiver: Receiver;

beforeAll(async () => {
  port = await freePort([address]);
  world = await startWorld({
    servers: { 'example.com': { settings: { delivery: { port } } } },
    dns: { 'example.net': { MX: [[10, 'mx.example.net']] }, 'mx.example.net': { A: [address] } },
  });
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  receiver = await startReceiver({ address, port });
});
afterEach(() => receiver[Symbol.asyncDispose]());

const content = Buffer.from('From: bob@example.com\nTo: ann@example.net\nSubject: x\n\nHello.\n');

async function send(...recipients: string[]) {
  const { config } = world.servers['example.com'];
  const { events } = await deliverDirect(config, { from: 'bob@example.com', recipients, content });
  return events;
}

describe('deliverDirect()', () => {
  test('M10: brings a signed message to its recipients, and tells what happened', async () => {
    const events = await send('ann@example.net', 'eve@example.net');
    expect(events.map(({ event }) => event)).toEqual(['routed', 'attempted', 'delivered', 'delivered']);
    expect(receiver.taken).toMatchObject([{ recipients: ['ann@example.net', 'eve@example.net'] }]);
    expect(receiver.taken[0]?.content).toMatch(/^Received: by mx\.example\.com[\s\S]*\r\nDKIM-Signature: /);
    expect(receiver.taken[0]?.content.endsWith('\r\n\r\nHello.\r\n')).toBe(true);
  });

  test('M3: M10: shows blind copies to nobody, and adds what is missing', async () => {
    const { config } = world.servers['example.com'];
    const blind = Buffer.from(
      'From: bob@example.com\nBcc: secret@example.org,\n eve@example.net\n\nHello.\n',
    );
    await deliverDirect(config, { from: 'bob@example.com', recipients: ['ann@example.net'], content: blind });
    const { content: arrived = '' } = receiver.taken[0] ?? {};
    expect(arrived).not.toMatch(/^bcc|secret|eve@/im); // "bcc" alone may be part of a random name
    expect(arrived).toMatch(
      /^Date: .*\r\nMessage-ID: <.*@example\.com>\r\nFrom: bob@example\.com\r\n\r\nHello\./m,
    );
  });

  test('tells of each recipient what was not to be done, and does not say that it is tried again', async () => {
    receiver.answers.recipients = {
      'gone@example.net': reply(550, '5.1.1', 'No such user'),
      'busy@example.net': reply(450, '4.2.0', 'Busy'),
    };
    const events = await send('gone@example.net', 'busy@example.net');
    expect(events.slice(-2)).toMatchObject([
      { event: 'failed', recipient: 'gone@example.net' },
      { event: 'deferred', recipient: 'busy@example.net' },
    ]);
    expect(events.at(-1)?.data).not.toHaveProperty('nextAttemptAt');
  });

  test('tells of a domain that takes no mail', async () => {
    world.dns.change({ 'null.example': { MX: [[0, '']] } });
    expect((await send('ann@null.example')).at(-1)).toMatchObject({
      event: 'failed',
      data: { status: '5.1.10' },
    });
  });

  test("P9: keeps to the receiver's TLS policy", async () => {
    world.dns.change({ [`_${port}._tcp.mx.example.net`]: { TLSA: [[3, 1, 1, 'ab'.repeat(32)]] } });
    world.dns.sign('example.net');
    const [routed, attempted, last] = await send('ann@example.net');
    world.dns.sign();
    expect(routed?.data).toMatchObject({ tls: [expect.stringContaining('DANE')] });
    expect(attempted?.data).toMatchObject({ policy: { kind: 'dane', fault: expect.any(String) } });
    expect(last).toMatchObject({ event: 'deferred', data: { status: '4.7.5' } });
    expect(receiver.taken).toEqual([]);
  });

  test('rejects for an address that it cannot read', async () => {
    await expect(send('not an address')).rejects.toThrow('Cannot parse address "not an address"');
  });
});
