/**
 * The transports of a configuration, each with what it takes to use it: connections of its own, which are logged in where
 * it has a password, or a program. Which one takes a recipient is decided by `transport-choice.ts`.
 */

import { readSecret } from '../../config/secret.ts';
import type { RelayTransport, TransportConfig } from '../../config/transport.ts';
import type { Login } from '../../smtp/client-auth.ts';
import { turnstile } from '../../util/turnstile.ts';
import type { ConnectionPool, PoolParts } from '../connections/pool.ts';
import type { PipeParts } from './pipe.ts';
import { demandOf } from './relay-demand.ts';
import { type ChoiceReason, type SentBy, transportFinder } from './transport-choice.ts';

export type Transport = { name: string } & (
  | { kind: 'mx' }
  | { kind: 'relay'; way: RelayTransport; pool: ConnectionPool }
  | { kind: 'pipe'; pipe: PipeParts }
);

export interface ChosenTransport {
  transport: Transport;
  why: ChoiceReason;
}

export interface Transports {
  /** For a domain in A-labels or an address literal. Undefined: by MX. */
  find(domain: string, sentBy: SentBy): ChosenTransport | undefined;
  /** Mail for the domain takes different ways, by its sender. */
  isSplit(domain: string): boolean;
  /** Ends the connections that stand. */
  close(): Promise<void>;
}

export interface TransportsParts extends Omit<PipeParts, 'way' | 'turns'> {
  /** For connections that begin like this. */
  createPool(opening: NonNullable<PoolParts['opening']>): ConnectionPool;
}

export function createTransports(configs: readonly TransportConfig[], parts: TransportsParts): Transports {
  const names = namesOf(configs);
  const transports = new Map(
    configs.map((config) => [config, createTransport(config.way, names.get(config) ?? '', parts)]),
  );
  const { find, isSplit } = transportFinder(configs);
  return {
    find(domain, sentBy) {
      const choice = find(domain, sentBy);
      const transport = choice && transports.get(choice.transport);
      return choice && transport && { transport, why: choice.why };
    },
    isSplit,
    async close() {
      const pools = [...transports.values()].flatMap((each) => (each.kind === 'relay' ? [each.pool] : []));
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}

function createTransport(way: TransportConfig['way'], name: string, parts: TransportsParts): Transport {
  if (way.protocol === 'mx') return { kind: 'mx', name };
  if (way.protocol === 'pipe') {
    const { run, clock } = parts;
    return { kind: 'pipe', name, pipe: { way, turns: turnstile(way.concurrency), run, clock } };
  }
  return { kind: 'relay', name, way, pool: parts.createPool(openingOf(way)) };
}

function openingOf(way: RelayTransport): NonNullable<PoolParts['opening']> {
  return {
    protocol: way.protocol === 'lmtp' ? 'lmtp' : 'smtp',
    demand: demandOf(way),
    ...(way.login && { login: loginOf(way.login, way.allowPlaintextAuth) }),
  };
}

/** The password is read each time: one that is changed needs no restart. */
const loginOf = ({ user, passwordFile }: NonNullable<RelayTransport['login']>, inClear: boolean): Login => ({
  user,
  password: () => readSecret(passwordFile),
  inClear,
});

/** Only which one it would be: nothing is opened. */
export function transportNames(configs: readonly TransportConfig[]): {
  find(domain: string, sentBy: SentBy): { transport: Pick<Transport, 'kind' | 'name'> } | undefined;
} {
  const finder = transportFinder(configs);
  const names = namesOf(configs);
  return {
    find(domain, sentBy) {
      const transport = finder.find(domain, sentBy)?.transport;
      return transport && { transport: { kind: kindOf(transport.way), name: names.get(transport) ?? '' } };
    },
  };
}

/**
 * What has one name is one site, and one message's recipients there go out together: so those that differ in what their names
 * do not say, what TLS must show or the words of a command, are numbered.
 */
function namesOf(configs: readonly TransportConfig[]): ReadonlyMap<TransportConfig, string> {
  const waysByName = new Map<string, string[]>();
  return new Map(
    configs.map((config) => {
      const name = transportName(config.way);
      const way = JSON.stringify(config.way);
      const ways = waysByName.get(name) ?? [];
      waysByName.set(name, ways);
      if (!ways.includes(way)) ways.push(way);
      const place = ways.indexOf(way);
      return [config, place === 0 ? name : `${name} (${place + 1})`];
    }),
  );
}

function kindOf({ protocol }: TransportConfig['way']): Transport['kind'] {
  if (protocol === 'mx' || protocol === 'pipe') return protocol;
  return 'relay';
}

/**
 * Names the receiving site too (route/site-limits.ts knows them by their first word): those that log in as different users have
 * different limits there.
 */
export function transportName(way: TransportConfig['way']): string {
  if (way.protocol === 'mx') return 'by MX';
  if (way.protocol === 'pipe') return `pipe ${way.command[0] ?? ''}`;
  const { protocol, at, login } = way;
  const place = 'socket' in at ? at.socket : `${at.host}:${at.port}`;
  return `relay ${protocol} ${place}${login ? ` as ${login.user}` : ''}`;
}
