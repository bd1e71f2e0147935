/**
 * One question to one name server and back, as bytes: over UDP from a port of its own, or over TCP. Does not read DNS:
 * the caller says what is a reply. RFC 1035 §4.2 (transports), RFC 5452 §9.2 (a fresh port for each question).
 */

import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { frame, frameReader } from '../dns/frames.ts';
import type { Clock } from '../util/clock.ts';

export interface ServerAddress {
  /** An IP address; a name would have to be looked up first. */
  address: string;
  port: number;
}

export interface Exchange<T> {
  server: ServerAddress;
  query: Buffer;
  /** Undefined when the bytes are not the reply; over UDP the wait then goes on. */
  read: (bytes: Buffer) => T | undefined;
  clock: Clock;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** What came back, or in words why nothing did; `isUnheard` where nobody listens. */
export type Exchanged<T> = { reply: T } | { error: string; isUnheard?: boolean };

/** The port is closed, or there is no such address: nothing that somebody on the way could bring about on loopback. */
const unheard = new Set(['ECONNREFUSED', 'EADDRNOTAVAIL', 'ENETUNREACH']);

/** What a length of two octets can announce. */
const maxTcpReplyBytes = 65_535;

/** Rejects only with the signal's reason. */
export function exchangeOverUdp<T>({ server, query, read, ...limits }: Exchange<T>): Promise<Exchanged<T>> {
  return withinLimits(limits, (finish) => {
    // Bound to port 0, the kernel draws a random one; connected, it drops what comes from anywhere but the server, and
    // reports a port where nobody listens at once.
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    socket.on('connect', () => socket.send(query));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      finish({ error: error.message, isUnheard: unheard.has(error.code ?? '') }),
    );
    socket.on('message', (bytes) => {
      const reply = read(bytes);
      if (reply !== undefined) finish({ reply });
    });
    socket.connect(server.port, server.address);
    return () => socket.close();
  });
}

/** Rejects only with the signal's reason. */
export function exchangeOverTcp<T>({ server, query, read, ...limits }: Exchange<T>): Promise<Exchanged<T>> {
  return withinLimits(limits, (finish) => {
    const messages = frameReader(maxTcpReplyBytes);
    const socket = connect({ host: server.address, port: server.port });
    socket.on('connect', () => socket.write(frame(query)));
    socket.on('error', (error) => finish({ error: error.message }));
    socket.on('end', () => finish({ error: 'closed the connection without a reply' }));
    socket.on('data', (chunk: Buffer) => {
      const [message] = messages(chunk) ?? [];
      if (message === undefined) return;
      const reply = read(message);
      finish(reply === undefined ? { error: 'a reply to another question' } : { reply });
    });
    return () => socket.destroy();
  });
}

type Limits = Pick<Exchange<never>, 'clock' | 'timeoutMs' | 'signal'>;

/** Starts an exchange that ends once: when it finishes, when the time is over, or when the signal is aborted. */
function withinLimits<T>(
  { clock, timeoutMs, signal }: Limits,
  start: (finish: (outcome: Exchanged<T>) => void) => () => void,
): Promise<Exchanged<T>> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      cancelTimer();
      signal?.removeEventListener('abort', abort);
      close();
    };
    const finish = (outcome: Exchanged<T>) => {
      end();
      resolve(outcome);
    };
    const abort = () => {
      end();
      reject(signal?.reason);
    };
    const close = start(finish);
    const cancelTimer = clock.after(timeoutMs, () => finish({ error: `no reply within ${timeoutMs} ms` }));
    signal?.addEventListener('abort', abort, { once: true });
  });
}
