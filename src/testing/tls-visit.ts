/** Handshakes with settings of ours, for tests: what is shown to a client that asks for a name. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import type { TlsInfo } from '../net/machine.ts';
import type { ServerTls } from '../net/server-context.ts';
import { startServerTls } from '../net/server-handshake.ts';

export interface TlsVisit {
  /** The names in the certificate that was shown. */
  names: string;
  cipher: string;
  resumed: boolean;
  session: Buffer | undefined;
  /** What the server knows of it, and what its end binds a login to (RFC 5929). */
  server: TlsInfo;
  endPoint: Buffer | undefined;
}

/** Rejects with the client's error where the two do not agree. */
export async function visitTls(settings: ServerTls, wanted: ConnectionOptions = {}): Promise<TlsVisit> {
  const served = Promise.withResolvers<Pick<TlsVisit, 'server' | 'endPoint'>>();
  const server = createServer((socket) => {
    startServerTls(socket, settings).then(({ socket: secure, tls }) => {
      secure.on('error', () => secure.destroy());
      served.resolve({ server: tls, endPoint: tls.binding?.('tls-server-end-point') });
      secure.end('hello');
    }, served.reject);
  }).listen(0, '127.0.0.1');
  served.promise.catch(() => undefined); // the client's error tells it too
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...wanted });
  let session: Buffer | undefined;
  client.on('session', (ticket) => {
    session = ticket;
  });
  try {
    await once(client, 'secureConnect');
    const names = client.getPeerX509Certificate()?.subjectAltName ?? '';
    const cipher = client.getCipher().name;
    const resumed = client.isSessionReused();
    client.resume();
    await once(client, 'end');
    return { names, cipher, resumed, session, ...(await served.promise) };
  } finally {
    client.destroy();
    server.close();
  }
}
