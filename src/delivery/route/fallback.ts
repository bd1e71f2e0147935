/**
 * Where mail goes when no host of its route could be reached and the configuration has `fallback = true`: the domain's own
 * addresses, then all hosts again on the ports of submission. Guesses, which no RFC asks for: whoever refuses there does
 * not speak for the domain. Finds the hosts; whether they may be tried under the domain's TLS policy is decided elsewhere.
 */

import type { Resolver } from '../../dns/resolver.ts';
import type { DossierEvent, Endpoint } from '../../dossier/event.ts';
import { type FallbackPorts, findHost, hostsOf, type Route, type RouteOptions } from './route.ts';

/** Endpoints that are tried besides those of the route. */
export const maxFallbackEndpoints = 32;

/** Rejects only when the attempt is stopped. */
export type Fallback = () => Promise<Guesses>;

export interface Guesses {
  /** By host, in the order in which they are tried. */
  hosts: readonly (readonly Endpoint[])[];
  /** For the dossier. */
  routed: DossierEvent;
}

interface Failed {
  route: Route;
  queueId: string;
  signal: AbortSignal;
}

/** Absent where the configuration has none. */
export function fallbackOf(resolver: Resolver, options: RouteOptions, failed: Failed): Fallback | undefined {
  const { fallback } = options;
  if (fallback === undefined) return undefined;
  return () => findGuesses(resolver, { ...options, signal: failed.signal }, { ...failed, ports: fallback });
}

async function findGuesses(
  resolver: Resolver,
  options: RouteOptions,
  { route, queueId, ports }: Failed & { ports: FallbackPorts },
): Promise<Guesses> {
  const at = options.clock.now();
  const { domain } = route;
  const isKnown = route.hosts.some(({ host }) => host === domain);
  const own = isKnown ? undefined : await findHost(resolver, { domain, host: domain }, options);
  const hosts = withOtherPorts(hostsOf(route), own?.kind === 'route' ? hostsOf(own) : [], ports).map((host) =>
    host.filter((endpoint) => !options.isOurs(endpoint)),
  );
  const guesses = atMost(maxFallbackEndpoints, hosts);
  const routed: DossierEvent = {
    at,
    queueId,
    event: 'routed',
    data: {
      domain,
      answers: own === undefined ? [] : [...own.answers],
      hosts: guesses.map(hostText),
      durationMs: options.clock.now() - at,
      rule: 'no host of the route could be connected to, and fallback = true',
    },
  };
  return { hosts: guesses, routed };
}

/** The domain's own hosts; then all with TLS from the start; then all on the port of submission. */
function withOtherPorts(ofRoute: Endpoint[][], own: Endpoint[][], ports: FallbackPorts): Endpoint[][] {
  const all = [...ofRoute, ...own];
  return [
    ...own,
    ...all.map((host) =>
      host.map((each): Endpoint => ({ ...each, port: ports.submissions, implicitTls: true })),
    ),
    ...all.map((host) => host.map((each): Endpoint => ({ ...each, port: ports.submission }))),
  ];
}

const hostText = (host: readonly Endpoint[]): string =>
  [`${host[0]?.host}`, ...host.map(({ address, port }) => `[${address}]:${port}`)].join(' ');

function atMost(limit: number, hosts: readonly (readonly Endpoint[])[]): Endpoint[][] {
  let room = limit;
  return hosts
    .map((host) => {
      const kept = host.slice(0, room);
      room -= kept.length;
      return kept;
    })
    .filter((host) => host.length > 0);
}
