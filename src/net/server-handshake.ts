/**
 * TLS as the server, on a connected socket: after STARTTLS, or from the first octet. Which certificate is shown is said in
 * server-context.ts.
 */

import type { Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { bufferedBytes } from './buffered-bytes.ts';
import { channelBinding } from './channel-binding.ts';
import type { TlsInfo } from './machine.ts';
import type { ServerTls } from './server-context.ts';

const handshakeMs = 30_000;

/** Shakes hands as the server on a connected socket; rejects when that fails or takes too long. */
export function startServerTls(
  socket: Socket,
  settings: ServerTls,
): Promise<{ socket: TLSSocket; tls: TlsInfo }> {
  return new Promise((resolve, reject) => {
    const secure = new TLSSocket(socket, tlsOptions(settings));
    const timer = setTimeout(() => secure.destroy(timedOut()), handshakeMs);
    let hasFailed = false;
    const fail = (error = new Error('connection closed in the TLS handshake')) => {
      if (hasFailed) return; // what has ended with an error closes, too
      hasFailed = true;
      clearTimeout(timer);
      settings.onFailure?.(error);
      reject(error);
    };
    const closed = () => fail();
    secure.once('error', fail).once('end', closed).once('close', closed);
    secure.once('secure', () => {
      clearTimeout(timer);
      secure.off('error', fail).off('end', closed).off('close', closed);
      resolve({ socket: secure, tls: tlsInfo(secure, settings) });
    });
  });
}

const timedOut = () => Object.assign(new Error('TLS handshake timed out'), { code: 'ETIMEDOUT' });

/** Node hands `highWaterMark` on to the stream, but its types do not know that. */
const tlsOptions = (settings: ServerTls): TLSSocketOptions & { highWaterMark: number } => ({
  isServer: true,
  secureContext: settings.contextFor(undefined),
  ...(settings.choosesByName() && {
    SNICallback: (serverName, choose) => choose(null, settings.contextFor(serverName)),
  }),
  highWaterMark: bufferedBytes,
});

function tlsInfo(socket: TLSSocket, settings: ServerTls): TlsInfo {
  // `servername` is set by Node on server sockets, but its types know it on client sockets only.
  const serverName = (socket as TLSSocket & { servername?: string | false }).servername || undefined;
  const tls: TlsInfo = {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    ...(serverName && { serverName }),
  };
  // Where a session was taken up again, no certificate was chosen by name: Node tells of the first one.
  const shown = () => settings.certificateFor?.(serverName) ?? socket.getX509Certificate();
  const binding = channelBinding(socket, shown);
  return binding ? { ...tls, binding } : tls;
}
