/** What a benchmark needs to know of a server that passes everything on to a sink, and of a peer that could be one. */

import type { World } from '../../e2e/world.ts';

export interface Relay {
  name: string;
  port: number;
  /** The root of its process tree. */
  pid: number;
  /** What the report says about it: version and what was set. */
  description: string;
  /** Whom it relays to; default: anybody. */
  recipient?: string;
}

/** Where it takes mail, and where it passes it on to; all at 127.0.0.1. */
export interface Ports {
  port: number;
  sinkPort: number;
}

export interface Peer {
  readonly name: string;
  /** What brings it, for people: `apt package exim4-daemon-light`. */
  readonly comesFrom: string;
  /** Starts it in its own folder, at a high port. Rejects if it cannot be had; the message says why. */
  start(world: World, sinkPort: number): Promise<Relay>;
}
