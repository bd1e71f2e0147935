/** What time a time server says that it is: one question by SNTP. RFC 5905 §7.3 (the packet), §8 (the offset). */

import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../util/clock.ts';
import type { ServerAddress } from './dns-exchange.ts';

export interface SntpOptions {
  clock: Clock;
  timeoutMs: number;
  signal?: AbortSignal;
}

/** The same with all that is given once. */
export type AskTime = (
  server: ServerAddress,
  signal: AbortSignal,
) => Promise<{ offsetMs: number } | { error: string }>;

const packetBytes = 48;
/** Version 4, mode 3: a client. */
const clientHeader = 0x23;
const serverMode = 4;
/** From 1900, where NTP begins, to 1970, in seconds (RFC 5905 §6). */
const epochSeconds = 2_208_988_800;

/** How far our clock is behind theirs, in milliseconds; or why that is not known. */
export function askTime(
  server: ServerAddress,
  { clock, timeoutMs, signal }: SntpOptions,
): Promise<{ offsetMs: number } | { error: string }> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    let isOver = false;
    const finish = (outcome: { offsetMs: number } | { error: string }) => {
      if (isOver) return;
      isOver = true;
      cancel();
      signal?.removeEventListener('abort', abort);
      socket.close();
      resolve(outcome);
    };
    const abort = () => finish({ error: 'no time was left' });
    const cancel = clock.after(timeoutMs, () => finish({ error: `no reply within ${timeoutMs} ms` }));
    signal?.addEventListener('abort', abort, { once: true });
    let sentAt = 0;
    socket.on('error', (error) => finish({ error: error.message }));
    socket.on('connect', () => {
      const query = Buffer.alloc(packetBytes);
      query.writeUInt8(clientHeader, 0);
      sentAt = clock.now();
      writeTime(query, 40, sentAt);
      socket.send(query);
    });
    socket.on('message', (reply) => {
      const receivedAt = clock.now();
      const isReply =
        reply.length >= packetBytes &&
        (reply.readUInt8(0) & 7) === serverMode &&
        Math.abs(readTime(reply, 24) - sentAt) < 2;
      if (!isReply) return;
      // Stratum 0 is a refusal ("kiss of death", RFC 5905 §7.4).
      if (reply.readUInt8(1) === 0) return finish({ error: 'the server refuses to tell' });
      finish({ offsetMs: (readTime(reply, 32) - sentAt + (readTime(reply, 40) - receivedAt)) / 2 });
    });
    socket.connect(server.port, server.address);
    if (signal?.aborted) abort();
  });
}

/** Seconds since 1900, and 2^-32 parts of one. */
export function writeTime(packet: Buffer, offset: number, ms: number): void {
  const seconds = Math.floor(ms / 1000);
  packet.writeUInt32BE((seconds + epochSeconds) % 2 ** 32, offset);
  packet.writeUInt32BE(Math.floor(((ms - seconds * 1000) / 1000) * 2 ** 32), offset + 4);
}

/** Good until 2104: what lies before 1970 counts as after 2036, where the seconds begin anew (RFC 5905 §6). */
export function readTime(packet: Buffer, offset: number): number {
  const seconds = packet.readUInt32BE(offset);
  const sinceEpoch = seconds >= epochSeconds ? seconds - epochSeconds : seconds + 2 ** 32 - epochSeconds;
  return sinceEpoch * 1000 + (packet.readUInt32BE(offset + 4) / 2 ** 32) * 1000;
}
