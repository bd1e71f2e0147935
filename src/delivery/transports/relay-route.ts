/** Where a transport leads: the host that it names, wherever that is, but never ourselves. Its MX are not asked for. */

import type { RelayTransport } from '../../config/transport.ts';
import type { Resolver } from '../../dns/resolver.ts';
import { findHost, type NoRoute, nowhere, type Route, type RouteOptions } from '../route/route.ts';

/** `domain` is that of the recipients, for the dossier. Rejects only when the signal is aborted. */
export async function findRelayRoute(
  resolver: Resolver,
  { domain, way: { at, protocol } }: { domain: string; way: Pick<RelayTransport, 'at' | 'protocol'> },
  options: RouteOptions,
): Promise<Route | NoRoute> {
  if ('socket' in at) return toSocket(domain, at.socket);
  // By our own name, but at another port than that of mail, it is another program on this machine.
  const hostname = at.port === options.port ? options.hostname : '';
  const allowed = { ...options, hostname, port: at.port, allowPrivateAddresses: true };
  const route = await findHost(resolver, { domain, host: at.host }, allowed);
  if (route.kind === 'failed') return forTheOperator(route, at.host);
  return route.kind === 'route' && protocol === 'smtps' ? { ...route, implicitTls: true } : route;
}

/** The configuration names it: it is not for the senders to hear that it is misspelt, gone from DNS, or ourselves. */
const forTheOperator = (route: NoRoute, host: string): NoRoute => ({
  ...route,
  kind: 'deferred',
  status: route.status.replace(/^5/, '4'),
  reason:
    route.status === nowhere
      ? `the host ${host} of the transport has no address`
      : `the host ${host} of the transport is this server itself`,
  rule: 'that is for the operator to mend, and is tried again later',
});

function toSocket(domain: string, path: string): Route {
  const hosts = [{ host: path, preference: 0, addresses: [{ address: path, family: 'unix' } as const] }];
  return { kind: 'route', domain, answers: [], durationMs: 0, hosts, port: 0 };
}
