/** Who may begin a session: whoever is not banned, while there is room. What the others are told, and how many they were. */

import type { Admission, Reached } from '../../net/admission.ts';
import { clientNetworks } from '../../net/client-networks.ts';
import type { Peer } from '../../net/machine.ts';
import type { Clock } from '../../util/clock.ts';
import { LeakyLevels } from '../../util/leaky-levels.ts';
import type { Log } from '../../util/log.ts';
import { type Bans, banWords } from './bans.ts';

export interface GateParts {
  admission: Admission;
  bans: Bans;
  /** Of whom only the sessions are counted. */
  exempt(address: string): boolean;
  /** Of whom nothing is. */
  trusted(address: string): boolean;
  clock: Clock;
  log: Log;
}

export type Pass = { leave(): void; words?: never } | { words: string };

/** Connections that were refused, by why: since the start. */
export type RefusedCounts = Record<'banned' | Reached, number>;

export const noneRefused: Readonly<RefusedCounts> = {
  banned: 0,
  sessions: 0,
  'sessions of the client': 0,
  'sessions of the network': 0,
  'rate of the client': 0,
  'rate of the network': 0,
};

/** Clients of which it is remembered that the log knows of them. */
const maxLogged = 10_000;

export class Gate {
  readonly #parts: GateParts;
  readonly #logged = new LeakyLevels({ limit: 1, windowMs: 60_000, maxNames: maxLogged });
  readonly counts: RefusedCounts = { ...noneRefused };

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  enter(peer: Peer): Pass {
    const { admission, bans, clock, exempt, trusted } = this.#parts;
    const { address, proxy } = peer;
    const isCounted = proxy?.speaksFor !== 'nobody' && !trusted(address);
    const atAnyRate = exempt(address);
    const ban = isCounted && !atAnyRate ? bans.find(address) : undefined;
    if (ban) {
      ban.refused = (ban.refused ?? 0) + 1;
      return this.#refuse(peer, 'banned', banWords(ban, clock.now()));
    }
    const entry = admission.enter(isCounted ? address : undefined, { atAnyRate });
    return entry.reached === undefined
      ? entry
      : this.#refuse(peer, entry.reached, words(entry.reached, address));
  }

  /** A line a minute of each client: a flood must not fill the log. */
  #refuse({ address }: Peer, why: keyof RefusedCounts, words: string): Pass {
    const { clock, log } = this.#parts;
    this.counts[why]++;
    if (this.#logged.add(clientNetworks(address).client, 1, clock.now()) <= 1)
      log.info({ client: address, why }, 'connection refused');
    return { words };
  }
}

function words(reached: Reached, address: string): string {
  const { client, network } = clientNetworks(address);
  switch (reached) {
    case 'sessions':
      return 'too many connections; try again later';
    case 'sessions of the client':
      return `too many connections at once from ${client}; close some, or try again later`;
    case 'sessions of the network':
      return `too many connections at once from ${network}; try again later`;
    case 'rate of the client':
      return `${client} connects too often; try again in a minute, with fewer connections`;
    case 'rate of the network':
      return `${network} connects too often; try again in a minute`;
  }
}
