/** The DNS of the scenarios: what the world outside would say about the domains in play. */

import { zone } from '../../src/dns/zone.ts';
import type { ZoneData } from '../../src/dns/zone-data.ts';
import { serveZone } from '../../src/net/dns-server.ts';
import type { World } from '../world.ts';

/** Everything that happens in one machine comes from 127.0.0.1. */
const loopback: ZoneData = {
  '1.0.0.127.in-addr.arpa': { PTR: ['client.example.org'] },
  'client.example.org': { A: ['127.0.0.1'] },
  'example.org': {
    MX: [[10, 'client.example.org']],
    TXT: ['v=spf1 a:client.example.org -all'],
    A: ['127.0.0.1'],
  },
};

/** Serves the zone over UDP and TCP at 127.0.0.1; resolves to its port. */
export async function startDns(world: World, records: ZoneData = {}): Promise<number> {
  const server = await serveZone(zone({ ...loopback, ...records }));
  world.atEnd(() => server.close());
  return server.port;
}
