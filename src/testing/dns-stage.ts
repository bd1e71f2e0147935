/**
 * A piece of the DNS on loopback that can be wrong in every way: a domain's two name servers, those of the zone above it, and
 * the resolver of the world outside, each on an address of its own, under one port. What they say is a model that a test
 * copies, spoils and puts in place while they run. Linux only, for its loopback addresses.
 */

import { dsOf } from '../dns/dnssec.ts';
import { type Zone, type ZoneReply, zone } from '../dns/zone.ts';
import type { NameRecords, ZoneData } from '../dns/zone-data.ts';
import { type DnsServer, serveZone } from '../net/dns-server.ts';
import { freePort } from './free-ports.ts';
import { dnsKeyOf, makeZoneKey, type Signing, signedZone, type ZoneKey } from './signed-zone.ts';

export type Records = Record<string, NameRecords>;

/** `refuses`: it runs, and does not serve the zone. `deaf`: not to TCP. */
export type ServerState = 'serves' | 'refuses' | 'deaf';

export interface DnsModel {
  domain: string;
  /** Of the domain, as its servers have it. */
  zone: Records;
  /** At these names the second server has this instead. */
  second: Records;
  states: { first: ServerState; second: ServerState };
  serials: { first: number; second: number };
  /** What the zone above names as servers. */
  delegated: string[];
  isSigned: boolean;
  /** How, where it is: of both servers, and where the second is otherwise. */
  signing: { both: Partial<Signing>; second: Partial<Signing>; ds: 'own' | 'other' | 'absent' };
  /** The domain is registered. */
  exists: boolean;
  /** All of it is an alias. */
  apexAlias?: string;
  /** The alias stands beside the other records, as some panels make it. */
  keepsApex?: true;
  /** Types that the domain's servers fail at. */
  failsAt: string[];
  /** A name with nothing but names below it does not exist, they say. */
  deniesEmpty?: true;
  /** What the world has besides: reverse names, other domains, lists. */
  world: Records;
  resolver: {
    /** What it says instead, at these names. */
    stale: Records;
    /** What it says for names that do not exist. */
    inventedAddress?: string;
    /** Answers below the domain fail the check of their signatures. */
    isBogus: boolean;
    /** Those at these names and types do, as in `mx.example.com A`. */
    bogusAt: string[];
    /** It checks no signatures. */
    isBlind?: true;
  };
  /** Seconds; of all records. */
  ttl: number;
}

/** Where the servers are: the domain's, that of the zone above, and the resolver. */
export interface DnsPlaces {
  first: string;
  second: string;
  parent: string;
  resolver: string;
  /** An address where nobody listens. */
  nobody: string;
}

export const loopbackPlaces: DnsPlaces = {
  first: '127.0.0.41',
  second: '127.0.0.42',
  parent: '127.0.0.43',
  resolver: '127.0.0.44',
  nobody: '127.0.0.45',
};

export interface DnsStage extends AsyncDisposable {
  readonly places: DnsPlaces;
  readonly port: number;
  /** From now on this is so. */
  play(model: DnsModel): void;
}

/** `port`: 53 where nobody else is there; default: any that is free. */
export async function startDnsStage(model: DnsModel, places: DnsPlaces, port?: number): Promise<DnsStage> {
  const addresses = [places.first, places.second, places.parent, places.resolver];
  const chosen = port ?? (await freePort(addresses));
  let players = playersOf(model, places);
  await using stack = new AsyncDisposableStack();
  for (const [index, address] of addresses.entries()) {
    const answering: Zone = { answer: (name, type) => (players[index] as Player).zone.answer(name, type) };
    const takesTcp = () => (players[index] as Player).takesTcp;
    const server: DnsServer = await serveZone(answering, { address, port: chosen, takesTcp });
    stack.defer(() => server.close());
  }
  const running = stack.move();
  return {
    places,
    port: chosen,
    play(next) {
      players = playersOf(next, places);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

interface Player {
  zone: Zone;
  takesTcp: boolean;
}

/** In the order of the addresses. */
function playersOf(model: DnsModel, places: DnsPlaces): Player[] {
  const { domain, zone: own, second, states, serials } = model;
  const apex = (serial: number): Records => ({ [domain]: { ...own[domain], SOA: { serial } } });
  const first = domainServer(model, { ...own, ...apex(serials.first) }, states.first);
  const other = domainServer(
    model,
    { ...own, ...apex(serials.second), ...merged(second, serials.second) },
    states.second,
  );
  const signs = (zone: Zone, more: Partial<Signing> = {}) =>
    model.isSigned
      ? signedZone(zone, { apex: domain, key: zoneKey(), ...model.signing.both, ...more })
      : zone;
  return [
    { zone: signs(first), takesTcp: states.first !== 'deaf' },
    { zone: signs(other, model.signing.second), takesTcp: states.second !== 'deaf' },
    { zone: parentServer(model, places), takesTcp: true },
    { zone: resolver(model, places, apex(serials.first)), takesTcp: true },
  ];
}

/** An apex that is named stays one. */
const merged = (records: Records, serial: number): Records =>
  Object.fromEntries(
    Object.entries(records).map(([name, each]) => [name, each.NS ? { ...each, SOA: { serial } } : each]),
  );

function domainServer(model: DnsModel, data: ZoneData, state: ServerState): Zone {
  if (state === 'refuses') return { answer: () => refusal };
  const served = zone(data, model.ttl);
  const { domain } = model;
  return {
    answer: (name, type) => (isWithin(name, domain) ? spoiled(model, served, { name, type }) : refusal),
  };
}

/** As servers answer that have a fault of their own. */
function spoiled(model: DnsModel, served: Zone, question: { name: string; type: string }): ZoneReply {
  const reply = aliased(model, served, question);
  if (model.failsAt.includes(question.type)) return { ...reply, fails: true };
  const isEmpty = model.deniesEmpty && model.zone[question.name] === undefined;
  return isEmpty && reply.answers.length === 0 ? { ...reply, exists: false } : reply;
}

const refusal: ZoneReply = { exists: true, answers: [], authority: [], refuses: true };

/** What a server says that was made to put an alias where there must be none. */
function aliased(model: DnsModel, served: Zone, { name, type }: { name: string; type: string }): ZoneReply {
  const { apexAlias, keepsApex, domain, ttl } = model;
  const hidden = keepsApex ? ['A', 'AAAA', 'CNAME'] : undefined;
  const isKept = type === 'SOA' || type === 'NS' || hidden?.includes(type) === false;
  if (apexAlias === undefined || name !== domain || isKept) return served.answer(name, type);
  return { exists: true, answers: [{ name, type: 'CNAME', ttl, data: apexAlias }], authority: [] };
}

export const isWithin = (name: string, domain: string): boolean =>
  name === domain || name.endsWith(`.${domain}`);

const above = (domain: string): string => domain.slice(domain.indexOf('.') + 1);

function parentRecords({ domain }: DnsModel, { parent }: DnsPlaces): Records {
  const top = above(domain);
  return {
    [top]: { SOA: { serial: 1 }, NS: [`a.nic.${top}`] },
    [`a.nic.${top}`]: { A: [parent] },
  };
}

let key: ZoneKey | undefined;
let other: ZoneKey | undefined;

/** One for the process, as good as any. */
export function zoneKey(): ZoneKey {
  key ??= makeZoneKey();
  return key;
}

export function otherZoneKey(): ZoneKey {
  other ??= makeZoneKey();
  return other;
}

function dsRecord(domain: string, key: ZoneKey) {
  const ds = dsOf(dnsKeyOf(domain, key), 2);
  if (ds === undefined) throw new Error('no digest');
  return [ds.tag, ds.algorithm, ds.digestType, ds.digest] as const;
}

function parentServer(model: DnsModel, places: DnsPlaces): Zone {
  const { domain, delegated, exists, isSigned, zone: own, ttl } = model;
  const glue = delegated
    .filter((host) => own[host] !== undefined)
    .map((host) => [host, own[host] ?? {}] as const);
  const { ds } = model.signing;
  const DS = isSigned && ds !== 'absent' ? [dsRecord(domain, ds === 'own' ? zoneKey() : otherZoneKey())] : [];
  return zone(
    {
      ...parentRecords(model, places),
      ...(exists && { [domain]: { NS: delegated, DS }, ...Object.fromEntries(glue) }),
    },
    ttl,
  );
}

/** Knows everything; the delegations that it would follow are the zones themselves. */
function resolver(model: DnsModel, places: DnsPlaces, apex: Records): Zone {
  const { domain, zone: own, exists, world, ttl } = model;
  const { stale, inventedAddress, isBogus, bogusAt, isBlind } = model.resolver;
  const isProven = (name: string) => model.signing.ds === 'own' && model.isSigned && isWithin(name, domain);
  const served = zone(
    {
      ...world,
      ...parentRecords(model, places),
      ...(exists && { ...own, ...apex, ...merged(stale, model.serials.first) }),
    },
    ttl,
  );
  return {
    answer(name, type) {
      const isOwn = isWithin(name, domain);
      const authentic = !isBlind && (name === '' || isProven(name));
      const reply = { ...aliased(model, served, { name, type }), authentic };
      if (isOwn && model.failsAt.includes(type)) return { ...reply, fails: true };
      if (isOwn && (isBogus || bogusAt.includes(`${name} ${type}`))) return { ...reply, isBogus: true };
      if (reply.exists || inventedAddress === undefined || type !== 'A') return { ...reply, isForeign: true };
      return {
        exists: true,
        answers: [{ name, type: 'A', ttl, data: inventedAddress }],
        authority: [],
        isForeign: true,
      };
    },
  };
}
