/** What the parts of an examination are made of: ways to look, and what is to be expected. */

import type { X509Certificate } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { SourceReport } from '../delivery/guard/guard.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { AskDirectly } from '../net/dns-direct.ts';
import type { ServerAddress } from '../net/dns-exchange.ts';
import { fetchPolicy } from '../net/fetch-policy.ts';
import type { Https } from '../net/https.ts';
import type { RecordFacts, WantedRecord } from '../records/wanted-record.ts';
import type { Dial } from '../smtp/conversation.ts';
import type { Clock } from '../util/clock.ts';
import type { DnsLooks } from './dns-looks.ts';
import type { Section } from './finding.ts';
import { looksResolver } from './looks-resolver.ts';
import type { TimeTold } from './machine.ts';

export interface DoctorParts {
  config: Config;
  facts: RecordFacts;
  clock: Clock;
  ask: AskDirectly;
  /** Of the world outside; in order, until one answers. */
  resolvers: readonly ServerAddress[];
  /** Of servers that have zones, of MX hosts to be tried as others would, and of policy hosts: 53, 25, 443, but for tests. */
  ports: { names: number; mail: number; https: number };
  dial: Dial;
  /** Looks names up by `resolver`: what the doctor sees is to count for policies too. */
  https(resolver: Resolver): Https;
  /** Asks a running server, or looks itself. */
  sources(): Promise<readonly SourceReport[]>;
  /** By whatever time servers there are. */
  times(looks: DnsLooks, signal: AbortSignal): Promise<readonly TimeTold[]>;
  /** The certificates on disk, the server's own first; empty: none there, or not known. */
  chain: readonly X509Certificate[];
  /** Whether this machine may relay through the server, seen from that address. */
  mayRelay(address: string): boolean;
  /** It is tried whether strangers may relay: who does it too often counts as one who tries to (`[abuse] badRecipients`). */
  asksRelay: boolean;
  /** Domains whose mail servers are tried, to see whether any can be reached. Empty: all mail goes by relays. */
  reach: readonly string[];
  /** What else is to be told: filters, lists. */
  others: readonly Promise<Section | undefined>[];
  /** Nobody can guess it. */
  nobody: string;
  signal?: AbortSignal;
}

/** What every part of the examination gets. */
export interface Examining extends DoctorParts {
  looks: DnsLooks;
  wanted: readonly WantedRecord[];
  limit: AbortSignal;
}

/** The policy of a domain, as others would fetch it. */
export const policyFetcher = ({ https, looks, ports, limit }: Examining) => {
  const client = https(looksResolver(looks));
  return (domain: string) => fetchPolicy(client, domain, { port: ports.https, signal: limit });
};
