/**
 * What must be known before the dialogue, for the jobs of one message at one site: the route, and which TLS its hosts have
 * to show. Domains at the same hosts share a dialogue only where their policies ask for the same (RFC 8461 is about
 * domains, not hosts), so a group may be sent in several legs.
 */

import type { Resolver } from '../../dns/resolver.ts';
import type { DossierEvent } from '../../dossier/event.ts';
import type { JobRow } from '../../store/job.ts';
import type { MessageRow } from '../../store/message.ts';
import { type DomainPolicies, findTlsPlan, type TlsParts, type TlsPlan } from '../tls/tls-policy.ts';
import { demandOf } from '../tls/tls-verdict.ts';
import { findRoute, type NoRoute, type RouteOptions, routedData } from './route.ts';

export interface LegParts {
  resolver: Resolver;
  route: RouteOptions;
  /** Absent: TLS is opportunistic everywhere. */
  tls?: TlsParts;
}

export interface Leg {
  jobs: readonly JobRow[];
  way: TlsPlan | NoRoute;
  routed: DossierEvent;
}

/** Never empty. Rejects only when the signal is aborted. */
export async function findLegs(
  parts: LegParts,
  message: MessageRow,
  jobs: readonly JobRow[],
  signal: AbortSignal,
): Promise<Leg[]> {
  const [first] = jobs;
  const destination = first?.destination ?? '';
  if (jobs.every((job) => job.destination === destination))
    return [await findLeg(parts, message, { jobs, destination, signal })];
  const byDomain = [...Map.groupBy(jobs, (job) => job.destination)];
  const legs = byDomain.map(([destination, jobs]) => findLeg(parts, message, { jobs, destination, signal }));
  const found = await Promise.all(legs);
  // What one domain's fallback finds must not be tried for another.
  return parts.route.fallback === undefined ? joined(found) : found;
}

async function findLeg(
  parts: LegParts,
  message: MessageRow,
  { jobs, destination, signal }: { jobs: readonly JobRow[]; destination: string; signal: AbortSignal },
): Promise<Leg> {
  const at = parts.route.clock.now();
  const route = await findRoute(parts.resolver, destination, { ...parts.route, signal });
  const { queueId, requests } = message;
  const data = routedData(route);
  if (route.kind !== 'route') return { jobs, way: route, routed: { at, queueId, event: 'routed', data } };
  const found = parts.tls && findTlsPlan(parts.tls, route, { requests, signal });
  const way = found instanceof Promise ? await found : (found ?? { route, policies: new Map(), notes: [] });
  const tls = way.notes.length > 0 ? { tls: [...way.notes] } : {};
  return { jobs, way, routed: { at, queueId, event: 'routed', data: { ...data, ...tls } } };
}

/** Those that may go in one dialogue, as one. */
function joined(legs: readonly Leg[]): Leg[] {
  return [...Map.groupBy(legs, keyOf).values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    if (others.length === 0 || 'kind' in first.way) return [first];
    const jobs = [first, ...others].flatMap((leg) => leg.jobs);
    return [{ ...first, jobs, way: { ...first.way, shared: others.flatMap(policiesOf) } }];
  });
}

const policiesOf = ({ way }: Leg): DomainPolicies[] =>
  'kind' in way ? [] : [{ domain: way.route.domain, policies: way.policies }];

/** What the hosts are and have to show; a leg that leads nowhere stands alone. */
function keyOf({ way, routed }: Leg): string {
  if ('kind' in way || way.trouble !== undefined) return `nowhere ${JSON.stringify(routed.data)}`;
  const { route, policies } = way;
  const hosts = route.hosts.map(
    ({ host, preference }) => `${preference} ${host} ${demandOf(policies.get(host), host, Date.now).key}`,
  );
  // Where some are missing, others may be tried later: that is one domain's affair too.
  return [way.isIncomplete || route.isIncomplete ? 'some' : 'all', ...hosts.sort()].join('\n');
}
