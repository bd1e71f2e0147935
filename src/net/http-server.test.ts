import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { LineConnection } from '../testing/line-connection.ts';
import type { OpenSession } from './connection.ts';
import { requestMs } from './http-limits.ts';
import { httpServer, maxRequestsPerConnection, type RequestListener } from './http-server.ts';

interface Stage {
  clock: FakeClock;
  session: OpenSession;
  client: LineConnection;
}

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

const hello: RequestListener = (_request, response) => void response.end('hello');

/** A client's connection to a server that answers so. */
async function connect(answer: RequestListener = hello): Promise<Stage> {
  const clock = fakeClock();
  const http = httpServer<string>(clock);
  http.answerWith(answer);
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  open.push(listener);
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo; // it listens on TCP
  const accepted: Promise<Socket[]> = once(listener, 'connection');
  const client = await LineConnection.open({ address: '127.0.0.1', port });
  const [socket] = await accepted;
  if (!socket) throw new Error('no connection'); // the event has one
  open.push({ close: () => socket.destroy() });
  return { clock, session: http.serve(socket, 'somewhere'), client };
}

/** Lines up to the end of the connection. */
async function answered(client: LineConnection): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const line = await client.line().catch(() => undefined);
    if (line === undefined) return lines;
    lines.push(line);
  }
}

describe('httpServer()', () => {
  test('tells of a request what was told of its connection', async () => {
    const http = httpServer<string>(fakeClock());
    let heard = '';
    http.answerWith((request, response) => {
      heard = http.originOf(request);
      response.end();
    });
    const listener = createServer((socket) => void http.serve(socket, 'the cellar')).listen(0, '127.0.0.1');
    open.push(listener);
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo; // it listens on TCP
    await using client = await LineConnection.open({ address: '127.0.0.1', port });
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.line()).toBe('HTTP/1.1 200 OK');
    expect(heard).toBe('the cellar');
  });

  test.each([
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['bare LF', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['bare CR', 'GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n'],
    ['a folded field', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n'],
    ['a blank before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['no path', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another protocol', '\x16\x03\x01\x02\x00\r\n\r\n'],
  ])('ends the connection after %s, and hears nothing more', async (_, request) => {
    let heard = 0;
    const { client } = await connect((_request, response) => {
      heard += 1;
      response.end();
    });
    client.write(`${request}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
    const lines = await answered(client);
    expect(lines[0]).toBe('HTTP/1.1 400 Bad Request');
    expect(lines.filter((line) => line.startsWith('HTTP/'))).toHaveLength(1);
    expect(heard).toBe(0);
  });

  test('a chunk that does not end as it should ends the connection', async () => {
    const { client } = await connect((request, response) => {
      request.resume();
      request.once('end', () => response.end());
    });
    client.write(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nA\n0\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    expect((await answered(client)).filter((line) => line.startsWith('HTTP/'))).toEqual([
      'HTTP/1.1 400 Bad Request',
    ]);
  });

  test('an absolute target goes before the host', async () => {
    const { client } = await connect(
      (request, response) => void response.end(`${request.headers.host} ${request.url}\r\n`),
    );
    client.write('GET http://b.example:8080/x?y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect((await answered(client)).at(-1)).toBe('b.example:8080 /x?y');
  });

  test('a header that is too long is refused', async () => {
    const { client } = await connect();
    client.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect((await answered(client))[0]).toBe('HTTP/1.1 431 Request Header Fields Too Large');
  });

  test('nobody keeps a connection for good', async () => {
    const { client } = await connect((_request, response) => void response.writeHead(204).end());
    for (let count = 0; count < maxRequestsPerConnection; count += 1)
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const lines = await answered(client);
    expect(lines.filter((line) => line === 'HTTP/1.1 204 No Content')).toHaveLength(maxRequestsPerConnection);
    expect(lines.filter((line) => line === 'Connection: close')).toHaveLength(1);
  });
});

describe('a session', () => {
  test('ends where a request does not come to its end in time', async () => {
    const { client, clock, session } = await connect();
    client.write('GET / HTTP/1.1\r\n');
    for (let spent = 0; spent < requestMs; spent += 1000) {
      client.write('x');
      clock.advance(1000);
    }
    expect(await client.line()).toBe('HTTP/1.1 408 Request Timeout');
    await session.closed;
  });

  test('ends where a body does not', async () => {
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    const { client, clock, session } = await connect(() => resolve());
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\na');
    await heard;
    clock.advance(requestMs);
    await session.closed;
  });

  test('ends where nobody reads what is answered', async () => {
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    const { client, clock, session } = await connect((_request, response) => {
      response.write('a'.repeat(20_000_000));
      response.end();
      resolve();
    });
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await heard;
    clock.advance(requestMs);
    await session.closed;
  });

  test('has its time anew after each answer', async () => {
    const { client, clock } = await connect((_request, response) => void response.writeHead(204).end());
    for (let count = 0; count < 3; count += 1) {
      clock.advance(requestMs - 1);
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      while ((await client.line()) !== '');
    }
  });

  test('has less time in a crowd', async () => {
    const { clock, session } = await connect();
    session.limitIdle(10_000);
    clock.advance(10_000);
    await session.closed;
  });

  test('that waits for nothing ends with the server', async () => {
    const { session } = await connect();
    session.end('shutdown');
    await session.closed;
  });

  test('gives the answer under way when the server stops', async () => {
    const { promise: heard, resolve } = Promise.withResolvers<() => void>();
    const { client, session } = await connect((_request, response) => resolve(() => response.end('done')));
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const answer = await heard;
    session.end('shutdown');
    answer();
    const lines = await answered(client);
    expect(lines).toContain('HTTP/1.1 200 OK');
    expect(lines).toContain('Connection: close');
    await session.closed;
  });

  test('does not wait for an answer that does not come when the server stops', async () => {
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    const { client, clock, session } = await connect(() => resolve());
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await heard;
    session.end('shutdown');
    clock.advance(5_000);
    await session.closed;
  });
});
