/** Ports that nobody listens on. Knows no protocol. */

import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the range from which the system takes ports for outgoing connections (32768 on Linux): one of those would
 * sit on the port between the look and the use of it.
 */
const lowest = 10_000;
const highest = 29_999;

const maxTries = 100;

/** Not to be found free again before whoever asked for it listens there. */
const handedOut = new Set<number>();

/** A TCP port that is free on all of the addresses; `preferred` if it is. */
export async function freePort(addresses: readonly string[], preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred, addresses))) return preferred;
  for (let tries = 0; tries < maxTries; tries += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (handedOut.has(port) || !(await isFree(port, addresses))) continue;
    handedOut.add(port);
    return port;
  }
  throw new Error(`No port is free on ${addresses.join(' and ')}`);
}

async function isFree(port: number, addresses: readonly string[]): Promise<boolean> {
  const free = await Promise.all(addresses.map((address) => canListen(port, address)));
  return free.every(Boolean);
}

async function canListen(port: number, address: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, address);
    await once(server, 'listening');
  } catch {
    return false; // taken, or not ours to take: for whoever wants a port both mean "another one"
  }
  server.close();
  await once(server, 'close');
  return true;
}
