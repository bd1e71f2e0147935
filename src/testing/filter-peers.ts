/** clamd and rspamd for tests, on real loopback sockets: they say what is written down, and keep what they heard. */

import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';

export interface FilterPeer extends AsyncDisposable {
  place: { host: string; port: number };
  /** Messages, as they came. */
  heard: string[];
}

/** Says its version, and answers with `answer` when a message has come in whole, or by what is done with the socket. */
export async function clamdPeer(answer: string | ((socket: Socket) => void)): Promise<FilterPeer> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    if (typeof answer !== 'string') return answer(socket);
    let all = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      all = Buffer.concat([all, bytes]);
      if (all.toString() === 'zVERSION\0') return void socket.end('ClamAV of a test\0');
      const message = messageIn(all.subarray('zINSTREAM\0'.length));
      if (message === undefined) return;
      heard.push(message);
      socket.end(answer);
    });
  });
  return { ...(await listening(server)), heard, [Symbol.asyncDispose]: () => closed(server, sockets) };
}

/** All pieces together, once the empty one is there. */
function messageIn(octets: Buffer): string | undefined {
  let text = '';
  for (let at = 0; at + 4 <= octets.length; ) {
    const length = octets.readUInt32BE(at);
    if (length === 0) return text;
    text += octets.toString('latin1', at + 4, at + 4 + length);
    at += 4 + length;
  }
  return undefined;
}

/** Answers with this JSON, or as the function does. */
export async function rspamdPeer(
  answer: object | ((request: IncomingMessage, response: ServerResponse) => void),
): Promise<FilterPeer & { fields: string[][] }> {
  const heard: string[] = [];
  const fields: string[][] = [];
  const sockets = new Set<Socket>();
  const server = createHttpServer(async (request, response) => {
    if (typeof answer === 'function') return answer(request, response);
    if (request.url === '/ping') return void response.end('pong\r\n');
    fields.push(request.rawHeaders);
    let text = '';
    for await (const chunk of request) text += chunk;
    heard.push(text);
    response.end(JSON.stringify(answer));
  });
  server.on('connection', (socket) => sockets.add(socket));
  return {
    ...(await listening(server)),
    heard,
    fields,
    [Symbol.asyncDispose]: () => closed(server, sockets),
  };
}

type Server = ReturnType<typeof createServer>;

function listening(server: Server): Promise<{ place: { host: string; port: number } }> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null)
        resolve({ place: { host: '127.0.0.1', port: address.port } });
    });
  });
}

async function closed(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
}
