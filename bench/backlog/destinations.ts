/** The domains that the backlog waits for: each a receiving site of its own, with an address where nobody listens. */

import type { ZoneData } from '../../src/dns/zone-data.ts';

export const jobsPerDestination = 100;

export const destinationOf = (number: number): string => `site${number}.example.net`;

/** 127.0.0.1 is where the sink listens; the rest of 127/8 refuses. */
const addressOf = (number: number): string => `127.1.${(number >> 8) & 255}.${number & 255}`;

/** MX and address of each. */
export function destinationsZone(count: number): ZoneData {
  const numbers = Array.from({ length: count }, (_, number) => number);
  return Object.fromEntries(
    numbers.flatMap((number): [string, ZoneData[string]][] => {
      const domain = destinationOf(number);
      return [
        [domain, { MX: [[10, `mx.${domain}`]] }],
        [`mx.${domain}`, { A: [addressOf(number)] }],
      ];
    }),
  );
}
