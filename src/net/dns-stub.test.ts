import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AUTHENTIC_DATA, decode, encode, type Packet, TRUNCATED_RESPONSE } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { zone } from '../dns/zone.ts';
import { systemClock } from '../util/clock.ts';
import { serveZone } from './dns-server.ts';
import { type StubOptions, standInTtl, stubResolver, systemServers } from './dns-stub.ts';

const address = '127.0.0.1';
const example = zone({
  'example.com': { MX: [[10, 'mx.example.com']], TXT: ['v=spf1 mx -all'] },
  'mx.example.com': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
  'big.example.com': { TXT: ['x'.repeat(3000)] },
});

async function realServer() {
  const server = await serveZone(example);
  onTestFinished(() => server.close());
  return server;
}

type Send = (reply: Packet | Buffer) => void;

/** A UDP server that answers as the test says; `queries` are what it was asked. */
async function oddServer(answer: (query: Packet, send: Send, from: RemoteInfo) => void) {
  const socket = createSocket('udp4');
  const queries: { packet: Packet; from: RemoteInfo }[] = [];
  socket.on('message', (bytes, from) => {
    const packet = decode(bytes);
    queries.push({ packet, from });
    const like = { type: 'response', id: packet.id, questions: packet.questions } as const;
    answer(
      packet,
      (reply) => socket.send(Buffer.isBuffer(reply) ? reply : encode({ ...like, ...reply }), from.port),
      from,
    );
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { address, port: socket.address().port, queries };
}

const a = (data: string) => ({ answers: [{ name: 'mx.example.com', type: 'A', ttl: 60, data } as const] });

function stub(servers: StubOptions['servers'], options: Partial<StubOptions> = {}) {
  return stubResolver({ servers, clock: systemClock, timeoutMs: 5_000, attempts: 1, ...options });
}

describe('stubResolver()', () => {
  test('finds records over UDP, and tells what does not exist', async () => {
    const resolver = stub([await realServer()]);
    expect(await resolver.resolve('EXAMPLE.com.', 'MX')).toEqual({
      status: 'found',
      records: [{ preference: 10, exchange: 'mx.example.com' }],
      ttl: 300,
      authentic: false,
    });
    expect(await resolver.resolve('mx.example.com', 'AAAA')).toMatchObject({ records: ['2001:db8::1'] });
    expect(await resolver.resolve('mx.example.com', 'MX')).toMatchObject({
      status: 'none',
      reason: 'nodata',
      ttl: 300,
    });
    expect(await resolver.resolve('no.example.com', 'MX')).toMatchObject({
      status: 'none',
      reason: 'nxdomain',
    });
  });

  test('asks again over TCP when the answer was truncated', async () => {
    const answer = await stub([await realServer()]).resolve('big.example.com', 'TXT');
    expect(answer.status === 'found' && answer.records[0]?.join('')).toBe('x'.repeat(3000));
  });

  test('says so when TCP is closed', async () => {
    const server = await oddServer((_, send) => send({ flags: TRUNCATED_RESPONSE }));
    const answer = await stub([server]).resolve('mx.example.com', 'A');
    // The server is named once: the system does it.
    const detail = `connect ECONNREFUSED ${server.address}:${server.port}`;
    expect(answer).toEqual({ status: 'failed', detail });
  });

  test('asks nobody for a name that cannot exist', async () => {
    const server = await oddServer(() => {});
    expect(await stub([server]).resolve('a..b', 'A')).toMatchObject({ status: 'none', reason: 'nxdomain' });
    expect(server.queries).toEqual([]);
  });

  test('asks with a new id from a new port each time', async () => {
    const server = await oddServer((_, send) => send(a('192.0.2.1')));
    const resolver = stub([server]);
    for (let i = 0; i < 8; i += 1) await resolver.resolve('mx.example.com', 'A');
    expect(new Set(server.queries.map(({ packet }) => packet.id)).size).toBeGreaterThan(4);
    expect(new Set(server.queries.map(({ from }) => from.port)).size).toBeGreaterThan(4);
  });

  test('draws its ids from `random`', async () => {
    const server = await oddServer((_, send) => send(a('192.0.2.1')));
    await stub([server], { random: () => 0.5 }).resolve('mx.example.com', 'A');
    expect(server.queries[0]?.packet.id).toBe(0x8000);
  });

  test('waits for the right id and the right question', async () => {
    const server = await oddServer(({ id = 0 }, send) => {
      send({ id: (id + 1) % 65_536, ...a('203.0.113.66') });
      send({ questions: [{ name: 'evil.example', type: 'A' }], ...a('203.0.113.66') });
      send(Buffer.from('garbage'));
      send(a('192.0.2.1'));
    });
    expect(await stub([server]).resolve('mx.example.com', 'A')).toMatchObject({ records: ['192.0.2.1'] });
  });

  test('hears nobody but the server it asked', async () => {
    const forger = createSocket('udp4');
    onTestFinished(() => void forger.close());
    const server = await oddServer(({ id, questions }, send, from) => {
      const forged = encode({ type: 'response', id, questions, ...a('203.0.113.66') });
      forger.send(forged, from.port, from.address, () => send(a('192.0.2.1')));
    });
    expect(await stub([server]).resolve('mx.example.com', 'A')).toMatchObject({ records: ['192.0.2.1'] });
  });

  test('fails for whatever a server sends that is no answer, and never throws', async () => {
    let reply = Buffer.alloc(0);
    const server = await oddServer(({ id = 0 }, send) => {
      reply.writeUInt16BE(id, 0);
      reply[2] = 0x80;
      send(reply);
    });
    const resolver = stub([server], { timeoutMs: 20 });
    const garbage = fc.uint8Array({ minLength: 12, maxLength: 100 }).map((octets) => Buffer.from(octets));
    await fc.assert(
      fc.asyncProperty(garbage, async (octets) => {
        reply = octets;
        expect(await resolver.resolve('mx.example.com', 'A')).toMatchObject({ status: expect.any(String) });
      }),
      { numRuns: 30 },
    );
  });

  test('believes the AD bit of a server on loopback, and of no other', async () => {
    const server = await oddServer((_, send) => send({ flags: AUTHENTIC_DATA, ...a('192.0.2.1') }));
    expect(await stub([server]).resolve('mx.example.com', 'A')).toMatchObject({ authentic: true });
    // The same server, by an address that does not say it is on loopback.
    const elsewhere = { address: '0.0.0.0', port: server.port };
    expect(await stub([elsewhere]).resolve('mx.example.com', 'A')).toMatchObject({
      status: 'found',
      authentic: false,
    });
  });
});

describe('stubResolver() with several servers', () => {
  test('asks the next when one is silent, does not listen or fails, and stays with the one that answered', async () => {
    const silent = await oddServer(() => {});
    const failing = await oddServer((_, send) => send({ flags: 2 }));
    const closed = await serveZone(example);
    await closed.close();
    const resolver = stub([silent, failing, closed, await realServer()], { timeoutMs: 20 });
    expect(await resolver.resolve('mx.example.com', 'A')).toMatchObject({ records: ['192.0.2.1'] });
    expect(await resolver.resolve('example.com', 'MX')).toMatchObject({ status: 'found' });
    expect([silent.queries.length, failing.queries.length]).toEqual([1, 1]);
  });

  test('asks each as often as it was told, and says what the last one did', async () => {
    const silent = await oddServer(() => {});
    const failing = await oddServer((_, send) => send({ flags: 2 }));
    const resolver = stub([silent, failing], { attempts: 2, timeoutMs: 10 });
    const detail = `SERVFAIL (127.0.0.1:${failing.port})`;
    expect(await resolver.resolve('mx.example.com', 'A')).toEqual({ status: 'failed', detail });
    expect([silent.queries.length, failing.queries.length]).toEqual([2, 2]);
  });

  test('ends when the time for all of them is over', async () => {
    const silent = await oddServer(() => {});
    const resolver = stub([silent], { attempts: 1000, timeoutMs: 20, totalMs: 50 });
    expect(await resolver.resolve('mx.example.com', 'A')).toMatchObject({
      detail: expect.stringContaining('no reply'),
    });
    expect(silent.queries.length).toBeLessThan(5);
  });

  test('fails at once when there is none', async () => {
    const answer = await stub([]).resolve('mx.example.com', 'A');
    expect(answer).toEqual({ status: 'failed', detail: 'no name server is configured' });
  });
});

describe('stubResolver() with a resolver on this machine and others', () => {
  const authentic = { flags: AUTHENTIC_DATA, ...a('192.0.2.1') };
  const servfail = { flags: 2 };

  /** One that is not on this machine, as far as its address tells; it says that all is proven, too. */
  async function other() {
    const server = await oddServer((_, send) =>
      send({
        flags: AUTHENTIC_DATA,
        answers: [{ name: 'mx.example.com', type: 'A', ttl: 7200, data: '203.0.113.9' }],
      }),
    );
    return { address: '0.0.0.0', port: server.port, queries: server.queries };
  }

  test('P9: its SERVFAIL is final: forged data look like that, and others would not know them (RFC 4035 §5.5)', async () => {
    let says: Packet = servfail;
    const local = await oddServer((_, send) => send(says));
    const another = await other();
    const resolver = stub([another, local], { attempts: 2 });
    const detail = `SERVFAIL (127.0.0.1:${local.port})`;
    expect(await resolver.resolve('mx.example.com', 'A')).toEqual({ status: 'failed', detail });
    says = authentic;
    expect(await resolver.resolve('mx.example.com', 'A')).toMatchObject({ authentic: true });
    expect([local.queries.length, another.queries.length]).toEqual([3, 0]);
  });

  test('P9: its silence is final too: whoever holds up the signed answers must not get to give others', async () => {
    const local = await oddServer(() => {});
    const another = await other();
    const resolver = stub([local, another], { timeoutMs: 10 });
    expect(await resolver.resolve('mx.example.com', 'A')).toMatchObject({ status: 'failed' });
    expect(another.queries).toEqual([]);
  });

  test('P9: while it does not run others are asked, whose AD counts for nothing, and this is told', async () => {
    const was = await serveZone(example);
    await was.close();
    const told: boolean[] = [];
    const resolver = stub([was, await other()], { onLocal: (isThere) => told.push(isThere) });
    const stoodIn = { status: 'found', records: ['203.0.113.9'], authentic: false, ttl: standInTtl };
    expect(await resolver.resolve('mx.example.com', 'A')).toEqual(stoodIn);
    expect(await resolver.resolve('mx.example.com', 'A')).toEqual(stoodIn);
    expect(told).toEqual([false]);
    const again = await serveZone(example, was);
    onTestFinished(() => again.close());
    expect(await resolver.resolve('mx.example.com', 'A')).toMatchObject({ records: ['192.0.2.1'] });
    expect(told).toEqual([false, true]);
  });
});

describe('stubResolver() limits itself', () => {
  test('to so many questions at once, and so many waiting', async () => {
    const held: (() => void)[] = [];
    const server = await oddServer((_, send) => held.push(() => send(a('192.0.2.1'))));
    const resolver = stub([server], { maxQuestions: 1, maxWaiting: 1 });
    const [first, second] = [
      resolver.resolve('mx.example.com', 'A'),
      resolver.resolve('mx.example.com', 'A'),
    ];
    const third = await resolver.resolve('mx.example.com', 'A');
    expect(third).toEqual({ status: 'failed', detail: 'more than 1 questions are waiting' });
    await expect.poll(() => held.length).toBe(1);
    held[0]?.();
    expect(await first).toMatchObject({ status: 'found' });
    await expect.poll(() => held.length).toBe(2);
    held[1]?.();
    expect(await second).toMatchObject({ status: 'found' });
  });

  test('to those who still want to know', async () => {
    const silent = await oddServer(() => {});
    const resolver = stub([silent]);
    const leaving = new AbortController();
    const answer = resolver.resolve('mx.example.com', 'A', leaving.signal);
    await expect.poll(() => silent.queries.length).toBe(1);
    leaving.abort(new Error('gone'));
    await expect(answer).rejects.toThrow('gone');
    await expect(resolver.resolve('mx.example.com', 'A', leaving.signal)).rejects.toThrow('gone');
  });
});

describe('systemServers()', () => {
  async function read(text: string) {
    const directory = await mkdtemp(join(tmpdir(), 'resolv-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const path = join(directory, 'resolv.conf');
    await writeFile(path, text);
    return systemServers(path);
  }

  test('reads the first three name servers', async () => {
    const text =
      '# nameserver 192.0.2.9\nsearch example.com\nnameserver 192.0.2.1 \nnameserver\t2001:db8::1\n' +
      'nameserver name.example\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n';
    expect(await read(text)).toEqual([
      { address: '192.0.2.1', port: 53 },
      { address: '2001:db8::1', port: 53 },
      { address: '192.0.2.2', port: 53 },
    ]);
  });

  test('takes the one on loopback when the file names none or is missing', async () => {
    const loopback = [{ address: '127.0.0.1', port: 53 }];
    expect(await read('search example.com\n')).toEqual(loopback);
    expect(await systemServers('/nonexistent/resolv.conf')).toEqual(loopback);
  });
});
