/** How much each receiving site gets at most. */

import type { DeliveryConfig } from '../../config/sending.ts';
import { firstConnections, type SiteLimits } from '../../queue/pace.ts';
import type { SiteTable } from './site-tables.ts';
import { isTransport, localSite } from './sites.ts';

/** Local deliveries at once; each has a file of its own and waits for the disk. */
const localDeliveries = 64;

/** Other people's servers; a site begins with fewer (queue/pace.ts). */
export const defaultConnections = 10;

/** A relay host, or a program, is the operator's own, or one that expects us: it gets its places at once. */
export const defaultRelayConnections = 20;

/** `table` is what the configuration says of the site, or what is known of it. */
export function limitsOfSite(
  site: string,
  { connectionsPerSite }: Pick<DeliveryConfig, 'connectionsPerSite'>,
  table?: SiteTable,
): SiteLimits {
  if (site === localSite) return atOnce(localDeliveries);
  if (isTransport(site)) return atOnce(connectionsPerSite ?? defaultRelayConnections);
  const usual = connectionsPerSite ?? defaultConnections;
  const { connections = usual, messagesPerHour, isOurs } = table ?? {};
  return {
    connections: isOurs ? connections : Math.min(connections, usual), // what is known of others only makes it less
    start: firstConnections,
    ...(messagesPerHour !== undefined && { messagesPerHour }),
  };
}

/** A site that has taken more before begins with that; never with more than it may get. */
export function startingAt(limits: SiteLimits, known: number | undefined): SiteLimits {
  const start = Math.min(limits.connections, Math.max(limits.start, known ?? 0));
  return start === limits.start ? limits : { ...limits, start };
}

const atOnce = (connections: number): SiteLimits => ({ connections, start: connections });
