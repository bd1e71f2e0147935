/** The receiving site of a job: what shares connections and limits. A thousand domains with one set of MX are one site. */

import type { Resolver } from '../../dns/resolver.ts';
import { siteWithoutRoute } from '../../queue/site-name.ts';
import type { JobRow } from '../../store/job.ts';
import type { MaybePromise } from '../../util/maybe-promise.ts';
import type { SentBy } from '../transports/transport-choice.ts';
import type { Transport } from '../transports/transports.ts';
import { findRoute, type RouteOptions, siteKey } from './route.ts';
import type { SiteTables } from './site-tables.ts';

export const localSite = 'local';

/** It is that of a relay or a program, and is called as `transportName()` does. */
export const isTransport = (site: string): boolean => site.startsWith('relay ') || site.startsWith('pipe ');

export interface SiteParts {
  tables?: SiteTables;
  transports?: {
    find(domain: string, sentBy: SentBy): { transport: Pick<Transport, 'kind' | 'name'> } | undefined;
  };
}

/**
 * Local jobs and those that a transport takes need no look-up: it is their site. A domain without a route is a site of its
 * own.
 */
export function siteFinder(
  resolver: Resolver,
  options: RouteOptions,
  { tables, transports }: SiteParts = {},
): (job: Pick<JobRow, 'kind' | 'destination'>, signal: AbortSignal, message: SentBy) => MaybePromise<string> {
  return ({ kind, destination }, signal, message) => {
    if (kind === 'local') return localSite;
    const transport = transports?.find(destination, message)?.transport;
    if (transport !== undefined && transport.kind !== 'mx') return transport.name;
    return findRoute(resolver, destination, { ...options, signal }).then((route) =>
      route.kind === 'route' ? (tables?.find(route)?.name ?? siteKey(route)) : siteWithoutRoute(destination),
    );
  };
}
