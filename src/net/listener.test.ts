import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createSecureContext, connect as tlsConnect } from 'node:tls';
import { afterEach, expect, test, vi } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { createLog } from '../util/log.ts';
import { Admission } from './admission.ts';
import { type Listener, type ListenerOptions, listen } from './listener.ts';
import type { Peer, TlsInfo } from './machine.ts';

const authority = testAuthority();
const implicitTls = createSecureContext(authority.issue(['mx.example.com']));

interface Session {
  socket: Socket;
  peer: Peer;
  tls: TlsInfo | undefined;
}

const opened: Socket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

/** A listener whose sessions say hello and stay. */
async function start(options: Partial<ListenerOptions> = {}) {
  const sessions: Session[] = [];
  const listener = await listen({
    address: '127.0.0.1',
    port: 0,
    admission: new Admission({ sessions: 2, sessionsPerAddress: 100, exempt: () => false }),
    busy: '421 busy\r\n',
    log: createLog('silent'),
    serve(socket, peer, tls) {
      socket.on('error', () => undefined);
      socket.resume().write('hello\r\n');
      sessions.push({ socket, peer, tls });
    },
    ...options,
  });
  return { listener, sessions };
}

function reach({ address, port }: Listener): Socket {
  const socket = connect({ host: address, port });
  socket.on('error', () => undefined);
  opened.push(socket);
  return socket;
}

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
  await said(reach({ ...listener, address: '127.0.0.1' }));
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
