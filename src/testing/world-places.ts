/** Which addresses and ports the servers of a world get. Knows nothing of what they do there. */

import { networkInterfaces } from 'node:os';
import type { Protocol } from '../config/listeners.ts';
import { freePort } from './free-ports.ts';

export const protocols = [
  'smtp',
  'submission',
  'submissions',
  'pop3',
  'pop3s',
] as const satisfies readonly Protocol[];

export type Ports = Readonly<Record<(typeof protocols)[number], number>>;

export interface Place {
  /** It listens on all of them. */
  addresses: readonly string[];
  ports: Ports;
}

/** 127.0.0.1, and ::1 on machines that have it. */
export function loopbackAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.some(({ address }) => address === '::1') ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}

/**
 * A place for each server, with the ports it prefers where they are free. Up to two servers are on all loopback addresses;
 * more get an address each and share the port of their MX.
 */
export async function findPlaces(preferences: readonly Partial<Ports>[]): Promise<Place[]> {
  if (preferences.length <= 2) return inTurn(preferences, (ports) => findPlace(loopbackAddresses(), ports));
  const addressOf = (index: number) => `127.0.0.${11 + index}`;
  const smtp = await freePort(preferences.map((_, index) => addressOf(index)));
  return inTurn(preferences, (ports, index) => findPlace([addressOf(index)], { ...ports, smtp }));
}

async function findPlace(addresses: readonly string[], preferred: Partial<Ports>): Promise<Place> {
  const [smtp, submission, submissions, pop3, pop3s] = await Promise.all([
    freePort(addresses, preferred.smtp),
    freePort(addresses, preferred.submission),
    freePort(addresses, preferred.submissions),
    freePort(addresses, preferred.pop3),
    freePort(addresses, preferred.pop3s),
  ]);
  return { addresses, ports: { smtp, submission, submissions, pop3, pop3s } };
}

/** One after the other: two that look for a port at the same moment are in each other's way. */
async function inTurn<T, U>(items: readonly T[], make: (item: T, index: number) => Promise<U>): Promise<U[]> {
  const made: U[] = [];
  for (const [index, item] of items.entries()) made.push(await make(item, index));
  return made;
}
