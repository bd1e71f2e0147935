/**
 * What a doctor sees of DNS: each name as the servers of its zone have it, all of them asked one by one, and as a resolver of
 * the world outside has it. Asks each question once, and keeps account of where they contradict each other.
 */

import type { DirectQuestion, DirectReply } from '../dns/direct.ts';
import { canonicalName } from '../dns/name.ts';
import type { ShownRecord, ShownType } from '../dns/record-text.ts';
import type { AskDirectly } from '../net/dns-direct.ts';
import type { ServerAddress } from '../net/dns-exchange.ts';
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

/** Two servers of a zone that do not say the same. */
export interface Difference {
  zone: string;
  name: string;
  type: ShownType;
  /** What each of them has, one text for each that differs. */
  versions: readonly { servers: readonly string[]; texts: readonly string[] }[];
}

/** The resolver has something else than the zone. */
export interface Outdated {
  name: string;
  type: ShownType;
  /** Empty: it has nothing. */
  texts: readonly string[];
  /** Seconds until it forgets. */
  ttl: number;
}

export interface DnsLooksParts {
  ask: AskDirectly;
  /** In order, until one answers. */
  resolvers: readonly ServerAddress[];
  /** Of the servers that have zones: 53, but for tests. */
  port: number;
  signal: AbortSignal;
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
  readonly differences: Difference[] = [];
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
        last = await this.#ask(server, name, type, { recursive: true, unchecked });
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
    const { ask: _, ...parts } = this.#parts;
    const ask: AskDirectly = (server, { name, type, ...how }) => this.#ask(server, name, type, how);
    return kept(this.#zones, name, () =>
      findZoneServers({ ...parts, ask, recurse: (...question) => this.recurse(...question) }, name),
    );
  }

  #zoneNameOf(name: string): Promise<string | undefined> {
    return kept(this.#zoneNames, name, () =>
      findZoneName({ recurse: (...question) => this.recurse(...question) }, name),
    );
  }

  async #ask(
    server: ServerAddress,
    name: string,
    type: ShownType,
    how: Omit<DirectQuestion, 'name' | 'type'>,
  ): Promise<DirectReply | { error: string }> {
    if (++this.#questions > maxQuestions) return { error: `more than ${maxQuestions} questions were asked` };
    return this.#parts.ask(server, { name, type, ...how }, this.#parts.signal);
  }

  async #look(name: string, type: ShownType, depth: number): Promise<Seen> {
    const [zone, outside] = await Promise.all([this.zoneOf(name), this.recurse(name, type)]);
    const sound = zone?.servers.filter(({ state }) => state === 'sound') ?? [];
    const seen = await this.#askAll(zone?.name ?? '', sound, { name, type });
    if (seen === undefined) return seenIn(outside, name, type);
    this.#compareWithResolver(seen, outside);
    const target = seen.alias;
    if (target === undefined || seen.status === 'found' || depth === maxAliases) return seen;
    // The alias leads out of the zone, or to a name that the server does not send along.
    const beyond = await this.#look(target, type, depth + 1);
    return { ...beyond, name, alias: beyond.alias ?? target };
  }

  /** What they all say; where they do not, that is noted, and the first one counts. Undefined where none answers. */
  async #askAll(
    zone: string,
    servers: readonly NameServer[],
    { name, type }: { name: string; type: ShownType },
  ): Promise<Seen | undefined> {
    const { port } = this.#parts;
    const replies = await Promise.all(
      servers.map(async ({ host, address }) => ({
        host: `${host} (${address})`,
        reply: await this.#ask({ address, port }, name, type, {}),
      })),
    );
    const told = replies.flatMap(({ host, reply }) =>
      'error' in reply || !reply.authoritative ? [] : { host, seen: seenIn(reply, name, type) },
    );
    const versions = [...Map.groupBy(told, ({ seen }) => textsOf(seen).join('\n')).values()];
    if (versions.length > 1)
      this.differences.push({
        zone,
        name,
        type,
        versions: versions.map((same) => ({
          servers: same.map(({ host }) => host),
          texts: textsOf(same[0]?.seen),
        })),
      });
    return told[0]?.seen;
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
