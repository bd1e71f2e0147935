/** The receiving site of a job: what shares connections and limits. A thousand domains with one set of MX are one site. */

import type { Resolver } from '../dns/resolver.ts';
import type { JobRow } from '../store/store.ts';
import type { MaybePromise } from '../util/maybe-promise.ts';
import { findRoute, type RouteOptions, siteKey } from './route.ts';
import type { SiteTables } from './site-tables.ts';

export const localSite = 'local';

/** Local jobs and a relay host need no look-up; a domain without a route is a site of its own. */
export function siteFinder(
  resolver: Resolver,
  options: RouteOptions,
  tables?: SiteTables,
): (job: JobRow, signal: AbortSignal) => MaybePromise<string> {
  const { relayHost } = options;
  return ({ kind, destination }, signal) => {
    if (kind === 'local') return localSite;
    if (relayHost) return `relay ${relayHost.host}:${relayHost.port}`;
    return findRoute(resolver, destination, { ...options, signal }).then((route) =>
      route.kind === 'route' ? (tables?.find(route)?.name ?? siteKey(route)) : `no route to ${destination}`,
    );
  };
}
