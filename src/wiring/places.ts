/** Where listeners are, and what listens there already: of this process before, or of another one. */

import type { ListenerConfig } from '../config/listeners.ts';
import type { Listener } from '../net/listener.ts';
import type { PassedSocket } from '../net/passed-sockets.ts';

/** What listens, by place: all that a server leaves open when it stands aside. */
export type Doors = ReadonlyMap<string, Listener>;

/** What listens already when a server starts. */
export interface OpenAlready {
  /** Of one that ran in this process before. */
  doors?: Doors | undefined;
  /** Of another process. */
  passed?: readonly PassedSocket[] | undefined;
}

/** What a socket is known by. Each with port 0 is another one, in the order of the file. */
export function placeOf({ address, port, socket }: ListenerConfig, index: number): string {
  if (socket !== undefined) return socket;
  return port === 0 ? `${address} any port, for listener ${index}` : `${address} port ${port}`;
}

/** systemd writes `ListenStream=25` for all addresses of both families. */
const everywhere = new Set(['::', '0.0.0.0']);

export function isFor({ address, port, socket }: ListenerConfig, { at }: PassedSocket): boolean {
  if ('path' in at) return at.path === socket;
  if (socket !== undefined || at.port !== port) return false;
  return at.address === address || (everywhere.has(at.address) && everywhere.has(address));
}
