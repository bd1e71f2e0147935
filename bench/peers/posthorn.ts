/** Posthorn as a relay: default durability, dossiers on, no TLS towards the sink, which offers none. */

import { startPosthorn } from '../../e2e/peers/posthorn.ts';
import type { World } from '../../e2e/world.ts';
import type { Relay } from './relay.ts';

export async function posthornRelay(world: World, sinkPort: number): Promise<Relay> {
  const server = await startPosthorn(world, {
    protocols: ['smtp'],
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    delivery: { relayHost: `127.0.0.1:${sinkPort}` },
  });
  const description = `Node ${process.version}, default configuration`;
  return { name: 'posthorn', port: server.port('smtp'), pid: server.pid, description };
}
