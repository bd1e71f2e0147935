import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { createSecureContext, connect as tlsConnect } from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { createLog } from '../util/log.ts';
import { Admission, type AdmissionLimits } from './admission.ts';
import { type Listener, type ListenerOptions, listen } from './listener.ts';
import type { Peer, TlsInfo } from './machine.ts';
import { networkSet } from './networks.ts';
import { proxyHeaderMs } from './proxied.ts';
import { oneContext } from './server-context.ts';

const authority = testAuthority();
const implicitTls = oneContext(createSecureContext(authority.issue(['mx.example.com'])));

interface Session {
  socket: Socket;
  peer: Peer;
  tls: TlsInfo | undefined;
}

const opened: Socket[] = [];
/** What the clients of the sessions have said. */
const heard = new WeakMap<Socket, string>();
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

function admitting(limits: Omit<AdmissionLimits, 'now'>): ListenerOptions['enter'] {
  const admission = new Admission(() => ({ ...limits, now: () => 0 }));
  return ({ address }) => {
    const entry = admission.enter(address);
    return entry.reached === undefined ? entry : { refusal: '421 busy\r\n' };
  };
}

/** A listener whose sessions say hello and stay. */
async function start(options: Partial<ListenerOptions> = {}) {
  const sessions: Session[] = [];
  const listener = await listen({
    address: '127.0.0.1',
    port: 0,
    enter: admitting({ sessions: 2, sessionsPerAddress: 100 }),
    log: createLog('silent'),
    serve(socket, peer, tls) {
      socket.on('error', () => undefined);
      socket.on('data', (octets) => heard.set(socket, (heard.get(socket) ?? '') + octets));
      socket.write('hello\r\n');
      sessions.push({ socket, peer, tls });
    },
    ...options,
  });
  return { listener, sessions };
}

function reach({ address, port }: Pick<Listener, 'address' | 'port'>): Socket {
  const socket = connect({ host: address, port });
  socket.on('error', () => undefined);
  opened.push(socket);
  return socket;
}

/** Closed or reset. */
const gone = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

const said = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0]);

test('listen() tells the port it was given, and who comes', async () => {
  const { listener, sessions } = await start();
  const client = reach(listener);
  expect(await said(client)).toBe('hello\r\n');
  expect(sessions[0]?.peer).toEqual({
    address: '127.0.0.1',
    port: client.localPort,
    localAddress: '127.0.0.1',
    localPort: listener.port,
  });
});

test('listen() shows an IPv4 client of a dual-stack socket by its own name', async () => {
  const { listener, sessions } = await start({ address: '::' });
  await said(reach({ port: listener.port, address: '127.0.0.1' }));
  expect(sessions[0]?.peer.address).toBe('127.0.0.1');
});

test('listen() rejects with the error of the system where the port is taken', async () => {
  const { listener } = await start();
  await expect(start({ port: listener.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
    port: listener.port,
  });
});

test('a client beyond the limit is told so and closed, and room comes back', async () => {
  const { listener, sessions } = await start();
  await said(reach(listener));
  await said(reach(listener));
  const refused = reach(listener);
  expect(await said(refused)).toBe('421 busy\r\n');
  await once(refused, 'close');
  sessions[0]?.socket.destroy();
  await vi.waitFor(async () => expect(await said(reach(listener))).toBe('hello\r\n'), 5000);
});

test('with implicit TLS the session begins after the handshake', async () => {
  const { listener, sessions } = await start({ implicitTls });
  const secure = tlsConnect({ socket: reach(listener), servername: 'mx.example.com', ca: authority.cert });
  expect(await said(secure)).toBe('hello\r\n');
  expect(sessions[0]?.tls?.version).toBe('TLSv1.3');
});

test('a client that speaks no TLS where TLS is due is closed', async () => {
  const { listener, sessions } = await start({ implicitTls });
  const client = reach(listener);
  client.resume().write('EHLO client.example\r\n');
  await once(client, 'close');
  expect(sessions).toEqual([]);
});

test.each(['clear text', 'implicit TLS'])(
  'P15: over %s, a client that closes its side hears on',
  async (kind) => {
    const { listener, sessions } = await start(kind === 'clear text' ? {} : { implicitTls });
    const raw = reach(listener);
    raw.allowHalfOpen = true;
    const client =
      kind === 'clear text'
        ? raw
        : tlsConnect({ socket: raw, servername: 'mx.example.com', ca: authority.cert });
    await said(client);
    const socket = sessions[0]?.socket;
    client.end('QUIT\r\n');
    if (socket) await once(socket, 'end');
    socket?.end('bye\r\n');
    expect(await said(client)).toBe('bye\r\n');
  },
);

test('close() ends what is no session yet, and waits for the sessions', async () => {
  const { listener, sessions } = await start({ implicitTls });
  const secure = tlsConnect({ socket: reach(listener), servername: 'mx.example.com', ca: authority.cert });
  secure.on('error', () => undefined);
  await said(secure);
  const half = reach(listener).resume();
  await once(half, 'connect');
  await new Promise(setImmediate);
  let isClosed = false;
  const closed = listener.close().then(() => {
    isClosed = true;
  });
  await once(half, 'close');
  await expect(once(reach(listener), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(isClosed).toBe(false);
  sessions[0]?.socket.destroy();
  await closed;
});

describe('behind a proxy', () => {
  const proxies = networkSet(['127.0.0.1']);
  const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 49153 25\r\n';
  const binary = Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'latin1'),
    Buffer.from([203, 0, 113, 9, 192, 0, 2, 1, 0xc0, 0x01, 0, 25]),
  ]);
  const announced = {
    address: '203.0.113.9',
    port: 49153,
    localAddress: '192.0.2.1',
    localPort: 25,
    proxy: { address: '127.0.0.1', speaksFor: 'client' },
  };

  const cuts: [string, (octets: Buffer) => Iterable<Buffer>][] = [
    ['whole', (octets) => [octets]],
    ['byte by byte', (octets) => [...octets].map((octet) => Buffer.of(octet))],
  ];
  const headers: [string, Buffer][] = [
    ['1', Buffer.from(header)],
    ['2', binary],
  ];
  for (const [cut, cutUp] of cuts)
    for (const [version, octets] of headers)
      test(`version ${version}, ${cut}: the session is the client's, and begins after the header`, async () => {
        const { listener, sessions } = await start({ proxies });
        const client = reach(listener);
        const greeted = said(client);
        for (const piece of cutUp(Buffer.concat([octets, Buffer.from('QUIT\r\n')]))) {
          client.write(piece);
          await new Promise(setImmediate); // else the system would put the pieces together
        }
        expect(await greeted).toBe('hello\r\n');
        expect(sessions[0]?.peer).toEqual(announced);
        const { socket } = sessions[0] ?? {};
        if (!socket) throw new Error('no session');
        await vi.waitFor(() => expect(heard.get(socket)).toBe('QUIT\r\n'));
      });

  test.each(cuts)('implicit TLS follows the header, %s', async (_, cutUp) => {
    const { listener, sessions } = await start({ proxies, implicitTls });
    const client = reach(listener);
    const pieces = new PassThrough(); // `client` is written to by us: TLS comes in pieces, too
    const socket = Duplex.from({ readable: client, writable: pieces }).on('error', () => undefined);
    const secure = tlsConnect({
      socket,
      servername: 'mx.example.com',
      ca: authority.cert,
    }).on('error', () => undefined); // of the end of the test
    const greeted = once(secure, 'data');
    for (const piece of cutUp(Buffer.from(header))) client.write(piece);
    pieces.on('data', (octets: Buffer) => {
      for (const piece of cutUp(octets)) client.write(piece);
    });
    expect(String((await greeted)[0])).toBe('hello\r\n');
    expect(sessions[0]).toMatchObject({ peer: announced, tls: { version: 'TLSv1.3' } });
  });

  test.each([
    ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n')],
    ['LOCAL', Buffer.from('\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', 'latin1')],
  ])('a proxy that says %s speaks for nobody', async (_, octets) => {
    const { listener, sessions } = await start({ proxies });
    const client = reach(listener);
    client.write(octets);
    expect(await said(client)).toBe('hello\r\n');
    expect(sessions[0]?.peer).toMatchObject({
      address: '127.0.0.1',
      localPort: listener.port,
      proxy: { address: '127.0.0.1', speaksFor: 'nobody' },
    });
  });

  test.each([
    ['speaks SMTP at once', 'EHLO client.example\r\n'],
    ['says nonsense', 'PROXY TCP4 nobody nowhere 1 2\r\n'],
    ['does not come to an end', `PROXY UNKNOWN ${'x'.repeat(200)}`],
  ])('a client that %s is closed without a word', async (_, text) => {
    const { listener, sessions } = await start({ proxies });
    const client = reach(listener);
    const words = vi.fn();
    client.on('data', words).write(text);
    await gone(client);
    expect([words.mock.calls, sessions]).toEqual([[], []]);
  });

  test('who is no proxy of the listener is closed unheard', async () => {
    const { listener, sessions } = await start({ proxies: networkSet(['192.0.2.1']) });
    const client = reach(listener).resume();
    client.write(header);
    await gone(client);
    expect(sessions).toEqual([]);
  });

  test('a header that does not come in time ends the connection', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { listener } = await start({ proxies });
      const client = reach(listener).resume();
      client.write(header.slice(0, 20));
      await once(client, 'connect');
      await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0), { interval: 1 });
      vi.advanceTimersByTime(proxyHeaderMs);
      await gone(client);
    } finally {
      vi.useRealTimers();
    }
  });

  test('limits count the clients, not the proxy', async () => {
    const { listener } = await start({
      proxies,
      enter: admitting({ sessions: 100, sessionsPerAddress: 1 }),
    });
    const open = async (address: string) => {
      const client = reach(listener);
      client.write(`PROXY TCP4 ${address} 192.0.2.1 1 25\r\n`);
      return said(client);
    };
    expect(await open('203.0.113.1')).toBe('hello\r\n');
    expect(await open('203.0.113.2')).toBe('hello\r\n');
    expect(await open('203.0.113.1')).toBe('421 busy\r\n');
  });

  test('slow headers take up no session, and no more than there is room for', async () => {
    const { listener } = await start({
      proxies,
      enter: admitting({ sessions: 1, sessionsPerAddress: 1 }),
    });
    for (let count = 0; count < 50; count++) reach(listener).write('PROXY TCP4 ');
    const client = reach(listener);
    client.write(header);
    expect(await said(client)).toBe('hello\r\n');
  });
});

test('bind() has connections wait, unread, until somebody serves them; hold() has them wait again', async () => {
  const { listener, sessions } = await start();
  listener.hold();
  const socket = reach(listener);
  await once(socket, 'connect');
  socket.write('early\r\n');
  const other = reach(listener);
  const waiting: Socket[] = [];
  await expect.poll(() => waiting.push(...listener.takeWaiting())).toBe(2);
  expect(waiting.every(({ bytesRead }) => bytesRead === 0)).toBe(true);
  const third = reach(listener);
  third.write('NOOP\r\n');
  await once(third, 'connect');
  listener.serveBy({
    enter: () => ({ leave: () => undefined }),
    serve(taken, peer, tls) {
      taken.on('data', (octets) => taken.write(`heard ${octets}`));
      sessions.push({ socket: taken, peer, tls });
    },
  });
  expect(await said(third)).toBe('heard NOOP\r\n');
  for (const each of [socket, other, third, ...waiting, ...sessions.map((one) => one.socket)]) each.destroy();
  await listener.close();
});
