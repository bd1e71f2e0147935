import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { NameRecords } from '../dns/zone-data.ts';
import { reply } from '../smtp/reply.ts';
import { testAuthority } from '../testing/certificates.ts';
import { freePort } from '../testing/free-ports.ts';
import { startReceiver } from '../testing/receiver.ts';
import { type ScriptedPeer, scriptedPeer } from '../testing/scripted-peer.ts';
import { startWorld, type World } from '../testing/world.ts';

const sender = 'sender@example.com';
/** Nobody listens at the first one's port of mail. */
const [mxAddress, ownAddress] = ['127.0.0.41', '127.0.0.42'];

let world: World<'example.com'>;
let port: number;
let submission: number;
/** On the port of submissions, at 127.0.0.1. */
let secure: ScriptedPeer;

const overTls = `== TLS
  S: 220 mx.example.net
  C: EHLO mx.example.com
  S: 250 mx.example.net
  C: MAIL …
  S: 250 OK
  C: RCPT …
  S: 250 OK
  C: DATA
  S: 354 Go ahead
  C: (message)
  S: 250 Taken`;

beforeAll(async () => {
  port = await freePort([mxAddress, ownAddress, '127.0.0.1']);
  submission = await freePort([mxAddress, ownAddress]);
  const certificate = testAuthority().issue(['mx.example.net']);
  secure = await scriptedPeer([overTls], { certificate });
  world = await start(true);
});
afterAll(async () => {
  await secure[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

function start(fallback: boolean) {
  const fallbackPorts = { submissions: secure.endpoint.port, submission };
  const delivery = { port, fallback, fallbackPorts };
  return startWorld({
    servers: { 'example.com': { accounts: { [sender]: 'secret' }, settings: { delivery } } },
    dns: { 'mx.example.net': { A: [mxAddress] }, 'near.example.net': { A: ['127.0.0.1'] } },
  });
}

const parts: AsyncDisposable[] = [];
afterEach(async () => {
  for (const part of parts.splice(0)) await part[Symbol.asyncDispose]();
});

async function receiver(address: string, at: number) {
  const started = await startReceiver({ address, port: at });
  parts.push(started);
  return started;
}

let domains = 0;

async function send(records: NameRecords) {
  const domain = `d${++domains}.example`;
  world.dns.change({ [domain]: records });
  const server = world.servers['example.com'];
  const { queueId = '' } = await server.submit({ from: sender, to: `ann@${domain}` });
  const [recipient] = await server.settled(queueId);
  const events = await server.trace(queueId);
  return {
    state: recipient?.state,
    decided: recipient?.decidedBy?.data,
    tried: events.flatMap((event) =>
      event.event === 'attempted' ? [`${event.data.endpoint.address}:${event.data.endpoint.port}`] : [],
    ),
    rules: events.flatMap((event) => (event.event === 'routed' ? [event.data.rule] : [])),
    tls: events.flatMap((event) => (event.event === 'attempted' && event.data.tls ? [event.data.tls] : [])),
  };
}

const MX: NameRecords['MX'] = [[10, 'mx.example.net']];

describe('with fallback = true', () => {
  test("M2: the domain's own address is tried when no MX host can be connected to", async () => {
    const own = await receiver(ownAddress, port);
    const { state, tried, rules } = await send({ MX, A: [ownAddress] });
    expect(state).toBe('delivered');
    expect(tried).toEqual([`${mxAddress}:${port}`, `${ownAddress}:${port}`]);
    expect(rules).toEqual([undefined, expect.stringContaining('fallback = true')]);
    expect(own.taken).toHaveLength(1);
  });

  test('M2: then all again with TLS from the start', async () => {
    const { state, tried, tls } = await send({ MX: [[10, 'near.example.net']] });
    expect(state).toBe('delivered');
    expect(tried).toEqual([`127.0.0.1:${port}`, `127.0.0.1:${secure.endpoint.port}`]);
    expect(tls).toHaveLength(1);
  });

  test('M2: and at last on the port of submission', async () => {
    await receiver(mxAddress, submission);
    const { state, tried } = await send({ MX, A: [ownAddress] });
    expect(state).toBe('delivered');
    const ports = [port, secure.endpoint.port, submission];
    expect(tried).toEqual([
      `${mxAddress}:${port}`,
      `${ownAddress}:${port}`,
      `${mxAddress}:${ports[1]}`,
      `${ownAddress}:${ports[1]}`,
      `${mxAddress}:${submission}`,
    ]);
  });

  test('M2: a refusal there is none for good: it is not the MX that speaks', async () => {
    const own = await receiver(ownAddress, port);
    own.answers.mail = reply(530, '5.7.0', 'Authentication required');
    const { state, decided } = await send({ MX, A: [ownAddress] });
    expect(state).toBe('deferred');
    expect(decided).toMatchObject({ status: '4.7.0', rule: expect.stringContaining('fallback') });
  });

  test('M2: an MX whose host has no address leads to the domain itself', async () => {
    const own = await receiver(ownAddress, port);
    own.answers.mail = reply(550, '5.7.1', 'Not from you');
    const { state, tried } = await send({ MX: [[10, 'gone.example.net']], A: [ownAddress] });
    expect([state, tried]).toEqual(['deferred', [`${ownAddress}:${port}`]]);
  });

  test('M2: who can be connected to is not passed by', async () => {
    const own = await receiver(ownAddress, port);
    const mx = await receiver(mxAddress, port);
    mx.answers.connect = reply(554, '5.3.2', 'No mail here');
    expect(await send({ MX, A: [ownAddress] })).toMatchObject({
      state: 'deferred',
      tried: [`${mxAddress}:${port}`],
    });
    expect(own.connections).toBe(0);
  });

  test('M2: a null MX stops at once', async () => {
    const { state, tried } = await send({ MX: [[0, '']], A: [ownAddress] });
    expect([state, tried]).toEqual(['failed', []]);
  });
});

test('M2: without it, there is no guessing', async () => {
  await world[Symbol.asyncDispose]();
  world = await start(false);
  const own = await receiver(ownAddress, port);
  const { state, tried } = await send({ MX, A: [ownAddress] });
  expect([state, tried]).toEqual(['deferred', [`${mxAddress}:${port}`]]);
  expect(own.connections).toBe(0);
});
