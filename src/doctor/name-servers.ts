/**
 * Which servers have a zone, found from its delegation: the parent's servers are asked who has it, and each of those is asked
 * for the zone's SOA and NS, directly. Finds facts only. RFC 1034 §4.2.1, RFC 1912 §2.3 (lame delegations).
 */

import type { DirectReply } from '../dns/direct.ts';
import type { DsRecord } from '../dns/dnssec.ts';
import { findCanonicalIp } from '../dns/ip.ts';
import type { ShownRecord, ShownType } from '../dns/record-text.ts';
import type { AskDirectly } from '../net/dns-direct.ts';
import type { ServerAddress } from '../net/dns-exchange.ts';

export interface NameServer {
  host: string;
  address: string;
  /** `lame`: it answers, but not for this zone. `unheard`: this machine has no way to it, or nobody listens there. */
  state: 'sound' | 'lame' | 'silent' | 'unheard';
  /** Of one that is not sound, what it said. */
  why?: string;
  serial?: number;
  /** Why it does not answer over TCP; absent where it does. */
  tcp?: string;
}

export interface ZoneServers {
  name: string;
  servers: readonly NameServer[];
  /** Names in the delegation; absent: the parent could not be asked. */
  delegated?: readonly string[];
  /** Names that the zone itself gives, as the first sound server has it. */
  own?: readonly string[];
  /** Of the names, those without an address. */
  nameless: readonly string[];
  /** Of the names, those that are aliases. */
  aliases: readonly { host: string; target: string }[];
  /** The parent says that the zone is signed. */
  isSigned?: boolean;
  /** By which keys, as the parent has it. */
  ds: readonly DsRecord[];
}

export interface NameServerParts {
  ask: AskDirectly;
  /** The recursive question, to whichever resolver answers. */
  recurse(name: string, type: ShownType, unchecked?: boolean): Promise<DirectReply | { error: string }>;
  /** Of name servers: 53, but for tests. */
  port: number;
  signal: AbortSignal;
}

/** Servers, and addresses in all, that are asked. */
const maxHosts = 8;
const maxAddresses = 12;
/** Of the parent zone, one after the other until one answers. */
const maxParentServers = 3;

export async function findZoneServers(parts: NameServerParts, zone: string): Promise<ZoneServers> {
  const parent = await askParent(parts, zone);
  const told = textsOf(await parts.recurse(zone, 'NS', true), 'NS');
  const hosts = [...new Set([...(parent?.hosts ?? []), ...told])].sort().slice(0, maxHosts);
  const placed = await Promise.all(
    hosts.map(async (host) => ({ host, addresses: await addressesOf(parts, host, parent?.glue ?? []) })),
  );
  const places = placed.flatMap(({ host, addresses }) => addresses.map((address) => ({ host, address })));
  const looked = await Promise.all(places.slice(0, maxAddresses).map((place) => lookAt(parts, zone, place)));
  const own = looked.find(({ names }) => names !== undefined)?.names;
  return {
    name: zone,
    servers: looked.map(({ names: _, ...server }) => server),
    nameless: placed.filter(({ addresses }) => addresses.length === 0).map(({ host }) => host),
    aliases: (await Promise.all(hosts.map((host) => aliasOf(parts, host)))).flat(),
    ds: parent?.ds ?? [],
    ...(parent && { delegated: parent.hosts, isSigned: parent.ds.length > 0 }),
    ...(own && { own }),
  };
}

interface Parent {
  hosts: string[];
  glue: readonly ShownRecord[];
  ds: readonly DsRecord[];
}

/** Undefined where no server of the parent can be asked: then it is not known what the delegation says. */
async function askParent(parts: NameServerParts, zone: string): Promise<Parent | undefined> {
  const above = zone.slice(zone.indexOf('.') + 1);
  if (!zone.includes('.')) return undefined;
  const top = await findZoneName(parts, above);
  if (top === undefined) return undefined;
  const servers = textsOf(await parts.recurse(top, 'NS', true), 'NS').slice(0, maxParentServers);
  for (const host of servers) {
    const [address] = await addressesOf(parts, host, []);
    if (address === undefined) continue;
    const reply = await parts.ask({ address, port: parts.port }, { name: zone, type: 'NS' }, parts.signal);
    if ('error' in reply || reply.rcode !== 'NOERROR') continue;
    const records = [...reply.answers, ...reply.authorities].filter(
      ({ type, name }) => type === 'NS' && name === zone,
    );
    if (records.length === 0) continue;
    const ds = await parts.ask({ address, port: parts.port }, { name: zone, type: 'DS' }, parts.signal);
    return {
      hosts: records.map(({ text }) => text),
      glue: reply.additionals,
      ds: textsOf(ds, 'DS').map(readDs),
    };
  }
  return undefined;
}

function readDs(text: string): DsRecord {
  const [tag, algorithm, digestType, digest = ''] = text.split(' ');
  return { tag: Number(tag), algorithm: Number(algorithm), digestType: Number(digestType), digest };
}

/** The name of the zone that a name lies in, by the SOA that resolvers send along. */
export async function findZoneName(
  parts: Pick<NameServerParts, 'recurse'>,
  name: string,
): Promise<string | undefined> {
  const reply = await parts.recurse(name, 'SOA', true);
  if ('error' in reply) return undefined;
  const records = [...reply.answers, ...reply.authorities].filter(({ type }) => type === 'SOA');
  const zone = records.find((record) => isWithin(name, record.name))?.name;
  // Behind an alias stands the SOA of its target: then the name above tells.
  const isAlias = reply.answers.some(({ type }) => type === 'CNAME');
  if (zone !== undefined || !isAlias || !name.includes('.')) return zone;
  return findZoneName(parts, name.slice(name.indexOf('.') + 1));
}

const isWithin = (name: string, zone: string): boolean =>
  zone === '' || name === zone || name.endsWith(`.${zone}`);

async function addressesOf(
  { recurse }: NameServerParts,
  host: string,
  glue: readonly ShownRecord[],
): Promise<string[]> {
  const replies = await Promise.all([recurse(host, 'A', true), recurse(host, 'AAAA', true)]);
  const told = [...textsOf(replies[0], 'A'), ...textsOf(replies[1], 'AAAA')];
  if (told.length > 0) return told;
  return glue
    .filter(({ name, type }) => name === host && (type === 'A' || type === 'AAAA'))
    .map(({ text }) => text);
}

async function aliasOf({ recurse }: NameServerParts, host: string) {
  const reply = await recurse(host, 'A', true);
  return textsOf(reply, 'CNAME')
    .slice(0, 1)
    .map((target) => ({ host, target }));
}

type Looked = NameServer & { names?: string[] };

async function lookAt(
  { ask, port, signal }: NameServerParts,
  zone: string,
  { host, address }: { host: string; address: string },
): Promise<Looked> {
  const server: ServerAddress = { address: findCanonicalIp(address) ?? address, port };
  const [soa, ns, overTcp] = await Promise.all([
    ask(server, { name: zone, type: 'SOA' }, signal),
    ask(server, { name: zone, type: 'NS' }, signal),
    ask(server, { name: zone, type: 'SOA', overTcp: true }, signal),
  ]);
  const place = { host, address };
  if ('error' in soa) return { ...place, state: soa.isUnheard ? 'unheard' : 'silent', why: soa.error };
  const record = soa.answers.find(({ type, name }) => type === 'SOA' && name === zone);
  if (record === undefined || !soa.authoritative) {
    const why = soa.rcode === 'NOERROR' ? 'it answers, but not from the zone (no AA)' : soa.rcode;
    return { ...place, state: 'lame', why };
  }
  const serial = Number(record.text.split(' ')[2]);
  const names = textsOf(ns, 'NS');
  return {
    ...place,
    state: 'sound',
    serial,
    ...(names.length > 0 && { names }),
    ...('error' in overTcp && { tcp: overTcp.error }),
  };
}

const textsOf = (reply: DirectReply | { error: string }, type: ShownType): string[] =>
  'error' in reply ? [] : reply.answers.filter((record) => record.type === type).map(({ text }) => text);
