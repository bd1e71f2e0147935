import { once } from 'node:events';
import { createServer } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HelloReader } from './client-hello.ts';

const readClientHello = (bytes: Buffer) => new HelloReader().read(bytes);

/** What Node's client says first. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = tlsConnect({ port, host: '127.0.0.1', ...options });
  client.on('error', () => undefined);
  const [socket] = await once(server, 'connection');
  const [bytes] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

/** The same message in records of so many octets. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const pieces: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size);
    pieces.push(Buffer.concat([Buffer.of(22, 3, 1, piece.length >> 8, piece.length & 255), piece]));
  }
  return Buffer.concat(pieces);
}

describe('HelloReader', async () => {
  const hello = await helloOf({ servername: 'MX.example.com', ALPNProtocols: ['acme-tls/1', 'http/1.1'] });
  const expected = { serverName: 'mx.example.com', protocols: ['acme-tls/1', 'http/1.1'] };

  it('finds the name and the protocols', () => {
    expect(readClientHello(hello)).toEqual(expected);
  });

  it.each([1, 3, 100])('finds them in records of %d octets', (size) => {
    expect(readClientHello(inRecords(hello, size))).toEqual(expected);
  });

  it('finds none where there are none', async () => {
    expect(readClientHello(await helloOf({}))).toEqual({ protocols: [] });
  });

  it.each([1, 7])('finds them as they come, %d octets at a time', (size) => {
    const [reader, bytes] = [new HelloReader(), inRecords(hello, 3)];
    let at = 0;
    for (; at + size < bytes.length; at += size)
      expect(reader.read(bytes.subarray(at, at + size))).toBe('more');
    expect(reader.read(bytes.subarray(at))).toEqual(expected);
  });

  it('looks at each octet once, though each has a record of its own and comes alone', () => {
    const start = Buffer.from('160301000101160301000100160301000130', 'hex');
    const bytes = Buffer.concat([start, Buffer.alloc(40_000, Buffer.from('160301000130', 'hex'))]);
    const reader = new HelloReader();
    const before = process.threadCpuUsage();
    let [read, at]: [unknown, number] = ['more', 0];
    for (; read === 'more'; at++) read = reader.read(bytes.subarray(at, at + 1));
    const { user, system } = process.threadCpuUsage(before);
    expect(read).toBeUndefined();
    expect(at).toBeLessThan(33_000);
    expect((user + system) / 1000).toBeLessThan(1000);
  });

  it('wants more until it is whole', () => {
    for (let length = 0; length < hello.length; length += 1)
      expect(readClientHello(hello.subarray(0, length))).toBe('more');
  });

  it.each([
    ['a request of HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['another message', Buffer.from('160301000402000000', 'hex')],
    ['one that is too long', Buffer.from('160301000401ffffff', 'hex')],
    ['an empty record', Buffer.from('1603010000', 'hex')],
    ['one that is cut short inside', Buffer.from('16030100080100000403030000', 'hex')],
  ])('takes %s for none', (_, bytes) => {
    expect(readClientHello(bytes)).toBeUndefined();
  });

  it('never throws', () => {
    const spoilt = fc
      .array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { maxLength: 20 })
      .map((changes) => {
        const bytes = Buffer.from(hello);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(spoilt, fc.uint8Array().map(Buffer.from)), (bytes) => {
        readClientHello(bytes);
      }),
    );
  });
});
