/**
 * Counts sessions, in all and per client and network, and how fast they come, so that one client cannot use up the server.
 * What a refused client did wrong elsewhere is not known here.
 */

import { LeakyLevels } from '../util/leaky-levels.ts';
import { clientNetworks } from './client-networks.ts';

export interface AdmissionLimits {
  sessions: number;
  sessionsPerAddress: number;
  /** Connections that one client begins; default: as many as it likes. */
  connectionsPerMinute?: number;
  /** A network may have so many times as much as one client of it. Default: whatever its clients may. */
  networkFactor?: number;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** What was reached. */
export type Reached =
  | 'sessions'
  | 'sessions of the client'
  | 'sessions of the network'
  | 'rate of the client'
  | 'rate of the network';

/** In; `leave` is to be called once. */
export type Entry = { leave(): void; reached?: never } | { reached: Reached };

/** Clients, and networks, whose rate is remembered. */
const maxRemembered = 20_000;

export class Admission {
  readonly #limits: () => AdmissionLimits;
  readonly #byClient = new Map<string, number>();
  readonly #byNetwork = new Map<string, number>();
  readonly #rateOfClient: LeakyLevels;
  readonly #rateOfNetwork: LeakyLevels;
  #total = 0;

  /** `limits` is asked for each connection: they may change. */
  constructor(limits: () => AdmissionLimits) {
    this.#limits = limits;
    const rate = { windowMs: 60_000, maxNames: maxRemembered };
    const ofClient = () => limits().connectionsPerMinute ?? 0;
    const ofNetwork = () => ofClient() * (limits().networkFactor ?? 0);
    this.#rateOfClient = new LeakyLevels({ ...rate, limit: ofClient });
    this.#rateOfNetwork = new LeakyLevels({ ...rate, limit: ofNetwork });
  }

  /** Without an address only the limit in all counts; `atAnyRate`: how fast it comes is not counted. */
  enter(address: string | undefined, { atAnyRate = false } = {}): Entry {
    if (this.#total >= this.#limits().sessions) return { reached: 'sessions' };
    if (address === undefined) {
      this.#total++;
      return { leave: () => void this.#total-- };
    }
    const { client, network } = clientNetworks(address);
    const reached =
      (atAnyRate ? undefined : this.#tooFast(client, network)) ?? this.#tooMany(client, network);
    if (reached !== undefined) return { reached };
    this.#total++;
    count(this.#byClient, client, 1);
    count(this.#byNetwork, network, 1);
    return {
      leave: () => {
        this.#total--;
        count(this.#byClient, client, -1);
        count(this.#byNetwork, network, -1);
      },
    };
  }

  /** Who comes too often is counted on: it gets in again when it comes less often. */
  #tooFast(client: string, network: string): Reached | undefined {
    const { now, connectionsPerMinute, networkFactor } = this.#limits();
    if (!connectionsPerMinute) return undefined;
    const at = now();
    this.#rateOfClient.add(client, 1, at);
    if (this.#rateOfClient.isOver(client, at)) return 'rate of the client';
    if (networkFactor === undefined) return undefined;
    this.#rateOfNetwork.add(network, 1, at);
    return this.#rateOfNetwork.isOver(network, at) ? 'rate of the network' : undefined;
  }

  #tooMany(client: string, network: string): Reached | undefined {
    const { sessionsPerAddress, networkFactor = Number.POSITIVE_INFINITY } = this.#limits();
    if ((this.#byClient.get(client) ?? 0) >= sessionsPerAddress) return 'sessions of the client';
    if ((this.#byNetwork.get(network) ?? 0) >= sessionsPerAddress * networkFactor)
      return 'sessions of the network';
    return undefined;
  }
}

function count(counts: Map<string, number>, name: string, change: 1 | -1): void {
  const left = (counts.get(name) ?? 0) + change;
  if (left > 0) counts.set(name, left);
  else counts.delete(name);
}
