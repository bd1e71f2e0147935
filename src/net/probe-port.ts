/** Can this machine listen on a port, and reach one elsewhere? Tries it, and leaves nothing behind. */

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Clock } from '../util/clock.ts';

/** `denied`: this user may not; `absent`: the machine has no such address. */
export type PortState = 'free' | 'taken' | 'denied' | 'absent';

/** Rejects with the system's error where it is none of these. */
export async function probeListening(address: string, port: number): Promise<PortState> {
  const server = createServer();
  try {
    server.listen({ host: address, port, exclusive: true });
    await once(server, 'listening'); // rejects with an 'error' event
    server.close();
    await once(server, 'close');
    return 'free';
  } catch (error) {
    const state = states.get(error instanceof Error && 'code' in error ? String(error.code) : '');
    if (state === undefined) throw error;
    return state;
  }
}

const states = new Map<string, PortState>([
  ['EADDRINUSE', 'taken'],
  ['EACCES', 'denied'],
  ['EADDRNOTAVAIL', 'absent'],
  ['EAFNOSUPPORT', 'absent'],
]);

export interface ReachParts {
  timeoutMs: number;
  clock: Clock;
}

/** Undefined where a connection stands, and is closed again without a word; else the system's reason. Never rejects. */
export async function probeReaching(
  { address, port }: { address: string; port: number },
  { timeoutMs, clock }: ReachParts,
): Promise<string | undefined> {
  const late = new AbortController();
  const cancel = clock.after(timeoutMs, () => late.abort());
  const socket = connect({ host: address, port });
  try {
    await once(socket, 'connect', { signal: late.signal });
    return undefined;
  } catch (error) {
    if (late.signal.aborted) return `no answer within ${timeoutMs / 1000} s`;
    return error instanceof Error ? error.message : String(error);
  } finally {
    cancel();
    socket.on('error', () => undefined); // nobody waits for it any more
    socket.destroy();
  }
}
