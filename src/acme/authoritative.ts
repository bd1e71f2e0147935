/**
 * What the name servers of a zone say themselves, each of them: caches are of no use to who waits for a record to appear, and
 * an authority asks there too. Finds the zone and its servers, follows aliases, remembers nothing. RFC 1034 §4.2.
 */

import type { ShownRecord, ShownType } from '../dns/record-text.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { AskDirectly } from '../net/dns-direct.ts';

export interface AuthoritativeParts {
  ask: AskDirectly;
  resolver: Resolver;
  /** The resolvers of this machine, in the order in which they are asked for a zone's servers. */
  recursors: readonly { address: string; port: number }[];
  /** Of name servers; tests have others than 53. */
  port: number;
}

/** `ttl` in seconds; of what is not there, 0. */
export type Looked =
  | { server: string; texts: readonly string[]; ttl: number }
  | { server: string; error: string };

/** Servers of one zone that are asked. */
const maxServers = 8;
/** An alias leads to another name at most so often. */
const maxAliases = 4;

/** One for each server of the zone. Rejects with the signal's reason, or an Error where no server is found. */
export async function askAuthorities(
  parts: AuthoritativeParts,
  question: { name: string; type: 'TXT' | 'TLSA' },
  signal: AbortSignal,
): Promise<Looked[]> {
  const servers = await serversOf(parts, question.name, signal);
  return Promise.all(servers.map((server) => askOne(parts, server, question, signal)));
}

async function askOne(
  parts: AuthoritativeParts,
  server: string,
  { name, type }: { name: string; type: 'TXT' | 'TLSA' },
  signal: AbortSignal,
  aliases = 0,
): Promise<Looked> {
  const [address] = await addressesOf(parts.resolver, server, signal);
  if (address === undefined) return { server, error: 'has no address' };
  const reply = await parts.ask({ address, port: parts.port }, { name, type }, signal);
  if ('error' in reply) return { server, error: reply.error };
  if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN')
    return { server, error: `answers ${reply.rcode}` };
  const records = reply.answers.filter((record) => record.type === type);
  const alias = reply.answers.findLast((record) => record.type === 'CNAME');
  if (records.length > 0 || alias === undefined || aliases >= maxAliases) return shown(server, records);
  const [next] = await serversOf(parts, alias.text, signal);
  if (next === undefined) return { server, error: `${name} leads to ${alias.text}, which has no servers` };
  const beyond = await askOne(parts, next, { name: alias.text, type }, signal, aliases + 1);
  return { ...beyond, server };
}

const shown = (server: string, records: readonly ShownRecord[]): Looked => ({
  server,
  texts: records.map(({ text }) => text),
  ttl: Math.max(0, ...records.map(({ ttl }) => ttl)),
});

/** Of the nearest zone that the name lies in. */
async function serversOf(
  parts: AuthoritativeParts,
  name: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  for (let zone = name; zone !== ''; zone = zone.slice(zone.indexOf('.') + 1)) {
    const records = await recurse(parts, { name: zone, type: 'NS' }, signal);
    const servers = records.filter((record) => record.type === 'NS' && record.name === zone);
    if (servers.length > 0) return servers.slice(0, maxServers).map(({ text }) => text);
    if (!zone.includes('.')) break;
  }
  throw new Error(`DNS names no servers for the zone of ${name}`);
}

async function recurse(
  { ask, recursors }: AuthoritativeParts,
  question: { name: string; type: ShownType },
  signal: AbortSignal,
): Promise<readonly ShownRecord[]> {
  let last = 'there is no resolver';
  for (const server of recursors) {
    const reply = await ask(server, { ...question, recursive: true }, signal);
    if ('error' in reply) last = reply.error;
    else if (reply.rcode === 'NOERROR' || reply.rcode === 'NXDOMAIN') return reply.answers;
    else last = `it answers ${reply.rcode}`;
  }
  throw new Error(`DNS does not say which servers ${question.name} has: ${last}`);
}

async function addressesOf(resolver: Resolver, host: string, signal: AbortSignal): Promise<string[]> {
  const answers = await Promise.all([
    resolver.resolve(host, 'A', signal),
    resolver.resolve(host, 'AAAA', signal),
  ]);
  return answers.flatMap((answer) => (answer.status === 'found' ? answer.records : []));
}
