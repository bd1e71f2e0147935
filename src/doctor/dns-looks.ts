/**
 * What a doctor sees of DNS: each name as the servers of its zone have it, all of them asked one by one, and as a resolver of
 * the world outside has it. Asks each question once, and keeps account of where they contradict each other.
 */

import type { DirectQuestion, DirectReply } from '../dns/direct.ts';
import { keysIn, typeNumbers, verdictOn } from '../dns/dnssec.ts';
import { canonicalName } from '../dns/name.ts';
import type { ShownRecord, ShownType } from '../dns/record-text.ts';
import type { AskDirectly } from '../net/dns-direct.ts';
import type { ServerAddress } from '../net/dns-exchange.ts';
import type { Difference, KeysSeen, Outdated, Unproven } from './contradictions.ts';
import { findZoneName, findZoneServers, type NameServer, type ZoneServers } from './name-servers.ts';

/** What is known of one type of records at one name. */
export interface Seen {
  name: string;
  type: ShownType;
  /** `unknown`: nobody could tell; `why` says what went wrong. */
  status: 'found' | 'none' | 'unknown';
  records: readonly ShownRecord[];
  /** The name has no records of any type. */
  isNowhere?: true;
  /** Where the name leads as an alias, in the end. */
  alias?: string;
  why?: string;
}

export interface DnsLooksParts {
  ask: AskDirectly;
  /** In order, until one answers. */
  resolvers: readonly ServerAddress[];
  /** Of the servers that have zones: 53, but for tests. */
  port: number;
  signal: AbortSignal;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Questions for one run. */
const maxQuestions = 5_000;
const maxAliases = 8;

export class DnsLooks {
  readonly #parts: DnsLooksParts;
  readonly #seen = new Map<string, Promise<Seen>>();
  readonly #zones = new Map<string, Promise<ZoneServers>>();
  readonly #zoneNames = new Map<string, Promise<string | undefined>>();
  readonly #recursed = new Map<string, Promise<DirectReply | { error: string }>>();
  readonly #keys = new Map<string, Promise<KeysSeen[]>>();
  readonly differences: Difference[] = [];
  readonly unproven: Unproven[] = [];
  readonly outdated: Outdated[] = [];
  readonly #done: Seen[] = [];
  #questions = 0;

  constructor(parts: DnsLooksParts) {
    this.#parts = parts;
  }

  /** As the world will see it once all caches have forgotten; where no server of the zone answers, as the resolver has it. */
  see(name: string, type: ShownType): Promise<Seen> {
    const canonical = canonicalName(name);
    return kept(this.#seen, `${canonical} ${type}`, async () => {
      const seen = await this.#look(canonical, type, 0);
      this.#done.push(seen);
      return seen;
    });
  }

  /** Of a name that nobody knows of, as a rule: then the servers need not be asked. */
  async resolve(name: string, type: ShownType): Promise<Seen> {
    const canonical = canonicalName(name);
    return seenIn(await this.recurse(canonical, type), canonical, type);
  }

  /** All that was seen up to now. */
  all(): readonly Seen[] {
    return this.#done;
  }

  /** The resolver's own answer. `unchecked`: even where signatures are wrong. */
  recurse(name: string, type: ShownType, unchecked = false): Promise<DirectReply | { error: string }> {
    return kept(this.#recursed, `${name} ${type} ${unchecked}`, async () => {
      let last: DirectReply | { error: string } = { error: 'no resolver is configured' };
      for (const server of this.#parts.resolvers) {
        last = await this.#ask(server, { name, type, recursive: true, unchecked });
        if ('answers' in last && last.rcode !== 'SERVFAIL' && last.rcode !== 'REFUSED') return last;
      }
      return last;
    });
  }

  /** The zone that a name lies in, with its servers; undefined where nobody tells. */
  async zoneOf(name: string): Promise<ZoneServers | undefined> {
    const zone = await this.#zoneNameOf(canonicalName(name));
    return zone === undefined ? undefined : this.zone(zone);
  }

  zone(name: string): Promise<ZoneServers> {
    const { ask: _, now: __, ...parts } = this.#parts;
    const ask: AskDirectly = (server, question) => this.#ask(server, question);
    return kept(this.#zones, name, () =>
      findZoneServers({ ...parts, ask, recurse: (...question) => this.recurse(...question) }, name),
    );
  }

  /** Of each server that serves the zone and answers. */
  keysOf(zone: ZoneServers): Promise<KeysSeen[]> {
    return kept(this.#keys, zone.name, async () => {
      const question = { name: zone.name, type: 'DNSKEY' as const, signed: true };
      const replies = await Promise.all(
        soundServers(zone).map(async ({ host, address }) => ({
          host,
          reply: await this.#ask({ address, port: this.#parts.port }, question),
        })),
      );
      return replies.flatMap(({ host, reply }) => {
        if ('error' in reply || !reply.authoritative) return [];
        const set = reply.sets.find(({ type }) => type === typeNumbers.DNSKEY);
        return [{ host, keys: set === undefined ? [] : keysIn(set), ...(set && { set }) }];
      });
    });
  }

  #zoneNameOf(name: string): Promise<string | undefined> {
    return kept(this.#zoneNames, name, () =>
      findZoneName({ recurse: (...question) => this.recurse(...question) }, name),
    );
  }

  async #ask(server: ServerAddress, question: DirectQuestion): Promise<DirectReply | { error: string }> {
    if (++this.#questions > maxQuestions) return { error: `more than ${maxQuestions} questions were asked` };
    return this.#parts.ask(server, question, this.#parts.signal);
  }

  async #look(name: string, type: ShownType, depth: number): Promise<Seen> {
    const [zone, outside] = await Promise.all([this.zoneOf(name), this.recurse(name, type)]);
    const seen = zone && (await this.#askAll(zone, { name, type }));
    if (seen === undefined) return seenIn(outside, name, type);
    this.#compareWithResolver(seen, outside);
    if (zone?.isSigned) await this.#compareWithUnchecked(zone, seen, outside);
    const target = seen.alias;
    if (target === undefined || seen.status === 'found' || depth === maxAliases) return seen;
    // The alias leads out of the zone, or to a name that the server does not send along.
    const beyond = await this.#look(target, type, depth + 1);
    return { ...beyond, name, alias: beyond.alias ?? target };
  }

  /** What they all say; where they do not, that is noted, and the first one counts. Undefined where none answers. */
  async #askAll(zone: ZoneServers, question: { name: string; type: ShownType }): Promise<Seen | undefined> {
    const { name, type } = question;
    const replies = await Promise.all(
      soundServers(zone).map(async (server) => {
        const reply = await this.#askServer(server, { ...question, signed: zone.isSigned === true });
        return { host: `${server.host} (${server.address})`, reply };
      }),
    );
    const told = replies.flatMap(({ host, reply }) =>
      'error' in reply || !reply.authoritative ? [] : { host, reply, seen: seenIn(reply, name, type) },
    );
    if (zone.isSigned) await this.#prove(zone, told);
    const versions = [...Map.groupBy(told, ({ seen }) => textsOf(seen).join('\n')).values()];
    if (versions.length > 1)
      this.differences.push({
        zone: zone.name,
        name,
        type,
        versions: versions.map((same) => ({
          servers: same.map(({ host }) => host),
          texts: textsOf(same[0]?.seen),
        })),
      });
    return told[0]?.seen;
  }

  /** Without signatures where a server, or what stands before it, cannot have them asked for. */
  async #askServer(
    { address }: NameServer,
    question: DirectQuestion,
  ): Promise<DirectReply | { error: string }> {
    const server = { address, port: this.#parts.port };
    const reply = await this.#ask(server, question);
    return 'error' in reply && question.signed ? this.#ask(server, { ...question, signed: false }) : reply;
  }

  async #prove(zone: ZoneServers, told: readonly { host: string; reply: DirectReply }[]): Promise<void> {
    const keys = (await this.keysOf(zone)).flatMap((each) => each.keys);
    // That a signed zone has no key at all is said of the zone.
    if (keys.length === 0) return;
    for (const { host, reply } of told)
      for (const { name, type, ...set } of reply.sets) {
        if (name !== zone.name && !name.endsWith(`.${zone.name}`)) continue;
        const verdict = verdictOn({ name, type, ...set }, keys, this.#parts.now());
        if (verdict.kind === 'proven' || verdict.kind === 'unknown') continue;
        this.unproven.push({ zone: zone.name, name, type, verdict, host });
      }
  }

  /** What only whoever checks signatures does not find: a record, or the proof that there is none. */
  async #compareWithUnchecked(
    zone: ZoneServers,
    { name, type, alias }: Seen,
    outside: DirectReply | { error: string },
  ): Promise<void> {
    if (!('rcode' in outside) || outside.rcode !== 'SERVFAIL' || alias !== undefined) return;
    const unchecked = await this.recurse(name, type, true);
    if (!('rcode' in unchecked) || unchecked.rcode === 'SERVFAIL') return;
    const host = 'the resolver';
    this.unproven.push({ zone: zone.name, name, type: typeNumbers[type], host });
  }

  #compareWithResolver(seen: Seen, outside: DirectReply | { error: string }): void {
    const { name, type } = seen;
    if ('error' in outside || seen.status === 'unknown' || seen.alias !== undefined) return;
    const there = seenIn(outside, name, type);
    if (there.status === 'unknown' || textsOf(there).join('\n') === textsOf(seen).join('\n')) return;
    const own = [...outside.answers, ...outside.authorities];
    const ttl = Math.min(...own.map((record) => record.ttl), 24 * 3600);
    this.outdated.push({ name, type, texts: textsOf(there), ttl });
  }
}

const soundServers = ({ servers }: ZoneServers): NameServer[] =>
  servers.filter(({ state }) => state === 'sound');

const textsOf = (seen: Seen | undefined): string[] => (seen?.records ?? []).map(({ text }) => text).sort();

/** Reads a reply: follows the aliases in it. */
export function seenIn(reply: DirectReply | { error: string }, name: string, type: ShownType): Seen {
  const about = { name, type, records: [] };
  if ('error' in reply) return { ...about, status: 'unknown', why: reply.error };
  if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN')
    return { ...about, status: 'unknown', why: reply.rcode };
  let owner = name;
  for (let aliases = 0; aliases < maxAliases; aliases += 1) {
    const here = reply.answers.filter((record) => record.name === owner);
    const records = here.filter((record) => record.type === type);
    const alias = owner === name ? {} : { alias: owner };
    if (records.length > 0) return { ...about, status: 'found', records, ...alias };
    const next = here.find((record) => record.type === 'CNAME');
    if (next === undefined) {
      const isNowhere = reply.rcode === 'NXDOMAIN' && owner === name;
      return { ...about, status: 'none', ...alias, ...(isNowhere && { isNowhere }) };
    }
    owner = next.text;
  }
  return { ...about, status: 'unknown', why: `more than ${maxAliases} aliases (CNAME) in a row` };
}

function kept<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const there = known.get(key) ?? make();
  known.set(key, there);
  return there;
}
