/**
 * Waits on a socket for the header of a proxy (proxy-header.ts), and leaves what follows it unread for whoever comes next: TLS or
 * a session. A header that does not come, or not soon, costs a timer and at most `maxProxyHeaderBytes`.
 */

import type { Socket } from 'node:net';
import { type ProxyHeader, readProxyHeader } from './proxy-header.ts';

/** A proxy sends its header with the first packet. */
export const proxyHeaderMs = 5_000;

/** Resolves to the header. Rejects with an Error that says what is wrong: it is malformed, late, or cut off. */
export function awaitProxyHeader(socket: Socket): Promise<ProxyHeader> {
  return new Promise((resolve, reject) => {
    let octets: Buffer = Buffer.alloc(0);
    const over = () => {
      clearTimeout(timer);
      socket.off('data', read).off('end', cut).off('close', cut).off('error', reject);
      socket.pause();
    };
    const fail = (why: string) => {
      over();
      reject(new Error(why));
    };
    const cut = () => fail('the connection ended before its PROXY header');
    const timer = setTimeout(() => fail('no PROXY header in time'), proxyHeaderMs);
    const read = (piece: Buffer) => {
      octets = octets.length === 0 ? piece : Buffer.concat([octets, piece]);
      const reading = readProxyHeader(octets);
      if (reading.kind === 'more') return;
      if (reading.kind === 'malformed') return fail(`malformed PROXY header: ${reading.why}`);
      over();
      const rest = octets.subarray(reading.length);
      if (rest.length > 0) socket.unshift(rest);
      resolve(reading.header);
    };
    socket.on('data', read).once('end', cut).once('close', cut).once('error', reject);
  });
}
