/**
 * Where mail for a domain goes (RFC 5321 §5.1, RFC 7505): MX hosts by preference, the domain itself where it has no
 * MX; or the one host of a transport. Answers with a value, and with all that DNS said, for the dossier.
 * Never leads to ourselves, nor to addresses inside our own network unless that is allowed.
 */

import type { MxRecord, Resolver } from '../../dns/resolver.ts';
import type { Endpoint } from '../../dossier/event.ts';
import type { Clock } from '../../util/clock.ts';
import type { Trouble } from '../outcome.ts';
import { type Host, HostLookup } from './route-hosts.ts';

export interface RouteOptions {
  /** Our own name: a host called so is ourselves. */
  hostname: string;
  /** True for the addresses and ports that we listen on. */
  isOurs: (endpoint: { address: string; port: number }) => boolean;
  /** Port of the MX hosts. */
  port: number;
  allowPrivateAddresses: boolean;
  /** Where the hosts that DNS names are of no use, others are tried: what `fallback.ts` is about. */
  fallback?: FallbackPorts | undefined;
  /** 0 ≤ random() < 1; mixes hosts of equal preference. */
  random: () => number;
  clock: Clock;
  signal?: AbortSignal;
}

export interface FallbackPorts {
  /** TLS from the start (RFC 8314 §3.3). */
  submissions: number;
  submission: number;
}

interface Findings {
  domain: string;
  /** What DNS answered and what was left out, in words. */
  answers: readonly string[];
  durationMs: number;
}

export interface Route extends Findings {
  kind: 'route';
  /** In the order in which they are tried; never empty, and every host has an address. */
  hosts: readonly Host[];
  port: number;
  /** DNS did not say where some of the hosts are. */
  isIncomplete?: true;
  /** Not what DNS says, but a guess: whoever refuses there does not speak for the domain. */
  isGuess?: true;
  /** TLS comes before the greeting. */
  implicitTls?: true;
}

export type NoRoute = Findings & { kind: 'deferred' | 'failed' } & Trouble;

/** Hosts that are looked at; RFC 5321 §5.1 asks for two at least. */
export const maxHosts = 10;
/** Endpoints that one attempt tries. */
export const maxEndpoints = 16;

/** Finds the route for a domain in A-labels or an address literal. Rejects only when the signal is aborted. */
export async function findRoute(
  resolver: Resolver,
  domain: string,
  options: RouteOptions,
): Promise<Route | NoRoute> {
  const startedAt = options.clock.now();
  const lookup = new HostLookup(resolver, options.signal);
  const found = await follow(lookup, domain, options);
  return { domain, answers: lookup.answers, durationMs: options.clock.now() - startedAt, ...found };
}

type Found =
  | Pick<Route, 'kind' | 'hosts' | 'port' | 'isIncomplete' | 'isGuess'>
  | ({ kind: 'deferred' | 'failed' } & Trouble);

async function follow(lookup: HostLookup, domain: string, options: RouteOptions): Promise<Found> {
  const exchanges = await findExchanges(lookup, domain, options);
  if ('kind' in exchanges) return exchanges;
  const found = await reach(lookup, exchanges, { ...options, domain });
  const isNowhere = found.kind === 'failed' && found.status === nowhere;
  if (!options.fallback || !isNowhere || exchanges.some(({ exchange }) => exchange === domain)) return found;
  const own = await reach(lookup, [{ preference: 0, exchange: domain }], { ...options, domain });
  return own.kind === 'route' ? { ...own, isGuess: true } : found;
}

/** A host's own addresses, whatever its MX are. Rejects only when the signal is aborted. */
export async function findHost(
  resolver: Resolver,
  { domain, host }: { domain: string; host: string },
  options: RouteOptions,
): Promise<Route | NoRoute> {
  const startedAt = options.clock.now();
  const lookup = new HostLookup(resolver, options.signal);
  const found = await reach(lookup, [{ preference: 0, exchange: host }], { ...options, domain });
  return { domain, answers: lookup.answers, durationMs: options.clock.now() - startedAt, ...found };
}

/** The hosts that DNS names for the domain, best first. */
async function findExchanges(
  lookup: HostLookup,
  domain: string,
  { random }: RouteOptions,
): Promise<readonly MxRecord[] | ({ kind: 'deferred' | 'failed' } & Trouble)> {
  const itself = [{ preference: 0, exchange: domain }];
  if (domain.startsWith('[')) return itself;
  const phase = `looking up MX of ${domain}`;
  const answer = await lookup.mx(domain);
  if (answer.status === 'failed')
    return deferred('4.4.3', phase, answer.detail, 'DNS did not answer: try again later');
  if (answer.status === 'none') {
    // Only where there is no MX at all does the domain stand for itself (RFC 5321 §5.1).
    if (answer.reason === 'nodata') return itself;
    return failed(
      '5.1.2',
      phase,
      `the domain ${domain} does not exist`,
      'no such domain: nothing to wait for',
    );
  }
  const named = answer.records.filter(({ exchange }) => exchange !== '');
  if (named.length > 0) return onlyOnce(inOrder(lookup.onlyNames(domain, named), random));
  const reason = `${domain} accepts no mail (null MX)`;
  return failed('5.1.10', phase, reason, 'null MX: given up at once (RFC 7505 §4.2)');
}

/** By preference, in random order among equals, to spread the load (RFC 5321 §5.1). */
function inOrder(records: readonly MxRecord[], random: () => number): MxRecord[] {
  return records
    .map((record) => ({ record, lot: random() }))
    .sort((a, b) => a.record.preference - b.record.preference || a.lot - b.lot)
    .map(({ record }) => record);
}

/** A host that is named several times is tried once, in its best place. */
const onlyOnce = (records: readonly MxRecord[]): MxRecord[] =>
  records.filter(({ exchange }, index) => records.findIndex((each) => each.exchange === exchange) === index);

/** The addresses of the hosts, without those that would bring the mail back to us or into our own network. */
async function reach(
  lookup: HostLookup,
  exchanges: readonly MxRecord[],
  options: RouteOptions & { domain: string },
): Promise<Found> {
  const { domain, hostname, port, allowPrivateAddresses, isOurs } = options;
  const phase = `looking up the hosts of ${domain}`;
  if (exchanges.length === 0) return failed(nowhere, phase, `the MX of ${domain} name no host`, noHost);
  const foreign = beforeOurs(exchanges, ({ exchange }) => exchange.toLowerCase() === hostname.toLowerCase());
  if (foreign.length === 0) return loop(phase, `mail for ${domain} comes back to us (${hostname})`);

  const looked = await lookup.hosts(foreign.slice(0, maxHosts));
  const reached = beforeOurs(looked, ({ addresses }) =>
    addresses.some(({ address }) => isOurs({ address, port })),
  );
  if (reached.length === 0) return loop(phase, `mail for ${domain} comes back to our own address`);

  const hosts = (allowPrivateAddresses ? reached : lookup.withoutPrivate(reached)).filter(hasAddress);
  if (hosts.length > 0)
    return { kind: 'route', hosts, port, ...(lookup.failure !== undefined && { isIncomplete: true }) };
  if (lookup.failure !== undefined)
    return deferred('4.4.3', phase, lookup.failure, 'DNS did not answer: try again later');
  if (reached.some(hasAddress))
    return loop(phase, `${domain} names only hosts at addresses that are not public`);
  return failed(nowhere, phase, `no host for ${domain} has an address`, noHost);
}

const noHost = 'nowhere to send it (RFC 5321 §5.1)';

/** No host has an address (RFC 3463 §3.5: unable to route). */
export const nowhere = '5.4.4';

const hasAddress = ({ addresses }: Host): boolean => addresses.length > 0;

/**
 * Where we are one of the hosts, only better ones than ourselves remain: the others would send the mail back to us
 * (RFC 5321 §5.1).
 */
function beforeOurs<T extends { preference: number }>(
  hosts: readonly T[],
  isOurs: (host: T) => boolean,
): T[] {
  const ours = Math.min(...hosts.filter(isOurs).map(({ preference }) => preference));
  return hosts.filter(({ preference }) => preference < ours);
}

function deferred(status: string, phase: string, reason: string, rule: string) {
  return { kind: 'deferred', status, phase, reason, rule } as const;
}

function failed(status: string, phase: string, reason: string, rule: string) {
  return { kind: 'failed', status, phase, reason, rule } as const;
}

function loop(phase: string, reason: string) {
  return failed('5.4.6', phase, reason, 'a route to ourselves or into our own network is not followed');
}

/** Which addresses are tried, in order. */
export function endpointsOf({ hosts, port, implicitTls }: Route): Endpoint[] {
  const all = hosts.flatMap(({ host, addresses }) =>
    addresses.map(({ address }) => ({ host, address, port, ...(implicitTls && { implicitTls }) })),
  );
  return all.slice(0, maxEndpoints);
}

/** The same by host, each with its addresses, best first. */
export function hostsOf(route: Route): Endpoint[][] {
  return [...Map.groupBy(endpointsOf(route), ({ host, port }) => `${host} ${port}`).values()];
}

/** The identity of the receiving site: domains with the same hosts share its limits and its connections. */
export function siteKey({ hosts, port }: Route): string {
  const names = hosts.map(({ host, preference }) => `${preference} ${host}`);
  return `${names.sort().join(', ')}:${port}`;
}

/** The `routed` event's data, of a route found or not. */
export function routedData(found: Route | NoRoute): Findings & { answers: string[]; hosts: string[] } {
  const { domain, answers, durationMs } = found;
  const hosts = found.kind === 'route' ? found.hosts : [];
  return { domain, answers: [...answers], hosts: hosts.map(hostText), durationMs };
}

const hostText = ({ host, preference, addresses }: Host): string =>
  `${preference} ${host} ${addresses.map(({ address }) => `[${address}]`).join(' ')}`;
