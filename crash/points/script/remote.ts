/** The stranger on a real socket. */

import { createServer, type Socket } from 'node:net';
import { Stranger, type StrangerState } from './stranger.ts';

export interface Remote extends AsyncDisposable {
  readonly port: number;
}

export function startRemote(state: StrangerState): Promise<Remote> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy()); // The server under test is killed in the middle of things.
    converse(socket, new Stranger(state));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: address !== null && typeof address === 'object' ? address.port : 0,
        async [Symbol.asyncDispose]() {
          for (const socket of sockets) socket.destroy();
          server.close();
        },
      });
    });
  });
}

function converse(socket: Socket, stranger: Stranger): void {
  socket.write(Stranger.greeting);
  socket.on('data', (octets: Buffer) => {
    const answer = stranger.hear(octets);
    if (answer !== '') socket.write(answer);
    if (stranger.ended) socket.end();
  });
}
