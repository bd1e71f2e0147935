import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { decode, encode } from 'dns-packet';
import { describe, expect, onTestFinished, test } from 'vitest';
import { frame, frameReader } from '../dns/frames.ts';
import { encodeQuery } from '../dns/message.ts';
import { zone } from '../dns/zone.ts';
import { type DnsServerOptions, serveZone } from './dns-server.ts';

const example = zone({
  'example.com': { MX: [[10, 'mx.example.com']] },
  'big.example.com': { TXT: ['x'.repeat(60_000)] },
});

async function server(options: DnsServerOptions = {}) {
  const started = await serveZone(example, options);
  onTestFinished(() => started.close());
  return started;
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const query = (id: number, name: string, type: 'MX' | 'TXT' = 'MX') =>
  encodeQuery(id, { name, type }) ?? Buffer.alloc(0);

describe('serveZone()', () => {
  test('answers over UDP and drops what is too long or no query', async () => {
    const { port } = await server();
    const client = createSocket('udp4');
    onTestFinished(() => void client.close());
    client.send(Buffer.alloc(5000), port);
    client.send(encode({ type: 'response', id: 1 }), port);
    client.send(query(2, 'example.com'), port);
    const [reply] = await once(client, 'message');
    expect(decode(reply)).toMatchObject({ id: 2, answers: [{ data: { exchange: 'mx.example.com' } }] });
  });

  test('answers several questions on one TCP connection, in their order, however they are cut', async () => {
    const { port } = await server();
    const socket = await dial(port);
    const stream = Buffer.concat([1, 2, 3].map((id) => frame(query(id, 'example.com'))));
    for (const octet of stream) socket.write(Buffer.from([octet]));
    const read = frameReader(65_535);
    const ids: unknown[] = [];
    for await (const chunk of socket) {
      ids.push(...(read(chunk) ?? []).map((message) => decode(message).id));
      if (ids.length === 3) break;
    }
    expect(ids).toEqual([1, 2, 3]);
  });

  test.each([
    ['announces a question that is too long', Buffer.from([0xff, 0xff])],
    ['sends what is no query', frame(Buffer.alloc(11))],
  ])('closes a TCP connection that %s', async (_, bytes) => {
    const { port } = await server();
    const socket = await dial(port);
    socket.write(bytes);
    await once(socket.resume(), 'close');
  });

  test('closes a TCP connection that is silent for too long', async () => {
    const { port } = await server({ idleMs: 10 });
    const socket = await dial(port);
    await once(socket.resume(), 'close');
  });

  test('cuts off a TCP client that asks for more than it reads', async () => {
    const { port } = await server();
    const socket = await dial(port);
    let receivedBytes = 0;
    socket.on('data', (chunk) => {
      receivedBytes += chunk.length;
    });
    // Cut off in the middle, the client sees a reset.
    socket.on('error', () => {});
    socket.write(Buffer.concat(Array(1000).fill(frame(query(1, 'big.example.com', 'TXT')))));
    await once(socket, 'close');
    expect(receivedBytes).toBeLessThan(30_000_000);
  });

  test('takes so many TCP connections and no more', async () => {
    const { port } = await server({ maxConnections: 1 });
    const first = await dial(port);
    const second = await dial(port);
    await once(second.resume(), 'close');
    expect(first.destroyed).toBe(false);
  });

  test('says when its port is taken', async () => {
    const { port } = await server();
    await expect(serveZone(example, { port })).rejects.toThrow('EADDRINUSE');
  });

  test('closes with its connections, also twice', async () => {
    const running = await serveZone(example);
    const socket = await dial(running.port);
    const closed = once(socket.resume(), 'close');
    await Promise.all([running.close(), running.close(), closed]);
    await (await serveZone(example, { port: running.port })).close();
  });
});
