/** Posthorn as users run it: the built product, default durability, dossiers on, no TLS towards the sink, which has none. */

import { type Posthorn, type PosthornOptions, startPosthorn } from '../../e2e/peers/posthorn.ts';
import type { BenchContext } from '../bench.ts';
import type { Relay } from './relay.ts';

export const ourDescription = `built with npm run build, Node ${process.version}, default configuration`;

/** Takes mail from this machine for anybody, as a trusted network may hand it in. */
export function startBuilt(
  { world, program }: BenchContext,
  options: PosthornOptions = {},
): Promise<Posthorn> {
  const relay = { trustedNetworks: ['127.0.0.0/8'] };
  return startPosthorn(world, { protocols: ['smtp'], relay, program, ...options });
}

export async function posthornRelay(
  context: BenchContext,
  sinkPort: number,
  options: PosthornOptions = {},
): Promise<Relay> {
  const { name = 'posthorn' } = options;
  const server = await startBuilt(context, { ...options, delivery: { relayHost: `127.0.0.1:${sinkPort}` } });
  return { name, port: server.port('smtp'), pid: server.pid, description: ourDescription };
}
