/** How much each receiving site gets at most. */

import type { DeliveryConfig } from '../config/config.ts';
import { firstConnections, type SiteLimits } from '../queue/pace.ts';
import { localSite } from './sites.ts';

/** Local deliveries at once; each has a file of its own and waits for the disk. */
const localDeliveries = 64;

/** Other people's servers; a site begins with fewer (queue/pace.ts). */
export const defaultConnections = 10;

/** A relay host is the operator's own machine, or one that expects us: it gets its places at once. */
export const defaultRelayConnections = 20;

const isRelay = (site: string): boolean => site.startsWith('relay ');

export function limitsOfSite(
  site: string,
  { connectionsPerSite }: Pick<DeliveryConfig, 'connectionsPerSite'>,
): SiteLimits {
  if (site === localSite) return atOnce(localDeliveries);
  if (isRelay(site)) return atOnce(connectionsPerSite ?? defaultRelayConnections);
  return { connections: connectionsPerSite ?? defaultConnections, start: firstConnections };
}

const atOnce = (connections: number): SiteLimits => ({ connections, start: connections });
