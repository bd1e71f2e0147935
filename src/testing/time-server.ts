/** A time server on loopback for tests (SNTP, RFC 5905), whose clock goes wrong as the test wants it. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeTime } from '../net/sntp.ts';

export interface TimeServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** It is so much later there. */
  aheadMs: number;
}

export async function startTimeServer(address = '127.0.0.1'): Promise<TimeServer> {
  const socket = createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  const server: TimeServer = {
    address,
    port: socket.address().port,
    aheadMs: 0,
    async [Symbol.asyncDispose]() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
  socket.on('message', (query, { address: from, port }) => {
    const reply = Buffer.alloc(48);
    reply.writeUInt8(0x24, 0); // version 4, mode 4: a server
    reply.writeUInt8(2, 1);
    query.copy(reply, 24, 40, 48);
    const now = Date.now() + server.aheadMs;
    writeTime(reply, 32, now);
    writeTime(reply, 40, now);
    socket.send(reply, port, from);
  });
  return server;
}
