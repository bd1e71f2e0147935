import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { systemClock } from '../util/clock.ts';
import { filterPoster, type HttpPost } from './http-post.ts';

const open: (Server | TcpServer)[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

async function placeOf(server: Server | TcpServer): Promise<{ host: string; port: number }> {
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 };
}

const serve = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  placeOf(createServer(answer));

async function* body(...pieces: string[]) {
  for (const piece of pieces) yield Buffer.from(piece);
}

const post = (place: HttpPost['place']): HttpPost => ({
  place,
  path: '/checkv2',
  headers: { IP: '192.0.2.1', Rcpt: ['a@example.com', 'b@example.com'] },
  body: body('Hel', 'lo'),
  bodyBytes: 5,
  maxBytes: 1000,
  timeoutMs: 5000,
});

describe('filterPoster()', () => {
  test('sends the body with its length and every header field', async () => {
    let heard = '';
    const place = await serve(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      const { method, url, rawHeaders } = request;
      heard = `${method} ${url} ${rawHeaders.join('|')} ${text}`;
      response.end('{}');
    });
    const answer = await filterPoster(systemClock)(post(place));
    expect(answer).toMatchObject({ status: 200, body: Buffer.from('{}') });
    expect(heard).toBe(
      'POST /checkv2 IP|192.0.2.1|Rcpt|a@example.com|Rcpt|b@example.com|host|127.0.0.1|content-length|5|connection|close Hello',
    );
  });

  test('listens to no more than it wants to hear', async () => {
    const place = await serve((_, response) => {
      const more = () => {
        while (response.write('x'.repeat(10_000)));
        response.once('drain', more);
      };
      more();
    });
    await expect(filterPoster(systemClock)(post(place))).rejects.toMatchObject({
      kind: 'lied',
      message: 'the answer has more than 1000 octets',
    });
  });

  test('ends a slow trickle when the time is over', async () => {
    const clock = fakeClock();
    const place = await serve((_, response) => {
      response.write('{');
      setImmediate(() => clock.advance(5000));
    });
    await expect(filterPoster(clock)(post(place))).rejects.toMatchObject({
      kind: 'timeout',
      message: 'no answer within 5 s',
    });
  });

  test('says what is no HTTP, and that nobody is there', async () => {
    const place = await placeOf(
      createTcpServer((socket) => socket.on('error', () => undefined).end('220 mx ESMTP\r\n')),
    );
    await expect(filterPoster(systemClock)(post(place))).rejects.toMatchObject({ kind: 'down' });
    await expect(filterPoster(systemClock)(post({ socket: '/nonexistent/x' }))).rejects.toMatchObject({
      kind: 'down',
    });
  });
});
