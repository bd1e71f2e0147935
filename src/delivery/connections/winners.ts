/**
 * Which address of a host answered, where it was not the first that was tried: the next connection goes there first. Forgotten
 * after a while, so that the better address gets another chance.
 */

import type { Endpoint } from '../../dossier/event.ts';
import type { Clock } from '../../util/clock.ts';
import { withFirst } from './address-race.ts';

/** Hosts that are remembered; the one that was asked for longest ago is forgotten first. */
export const maxWinners = 1000;
/** From the race that it won on; to win because it went first does not count. */
export const winnerLifeMs = 10 * 60_000;

interface Winner {
  address: string;
  until: number;
}

export class Winners {
  readonly #clock: Pick<Clock, 'now'>;
  /** By host and port, the one asked for last at the end. */
  readonly #winners = new Map<string, Winner>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** The endpoints of one host, the last winner in front. */
  inOrder(endpoints: readonly Endpoint[]): readonly Endpoint[] {
    const [first, second] = endpoints;
    if (first === undefined || second === undefined) return endpoints;
    return withFirst(endpoints, this.#find(keyOf(first)));
  }

  /** `endpoints` as they come from the route, `winner` the one that answered first. */
  note(endpoints: readonly Endpoint[], winner: Endpoint): void {
    const [first, second] = endpoints;
    if (first === undefined || second === undefined) return;
    const key = keyOf(winner);
    const known = this.#find(key);
    if (known === winner.address) return;
    this.#winners.delete(key);
    if (first.address === winner.address) return;
    this.#winners.set(key, { address: winner.address, until: this.#clock.now() + winnerLifeMs });
    const [oldest] = this.#winners.keys();
    if (this.#winners.size > maxWinners && oldest !== undefined) this.#winners.delete(oldest);
  }

  #find(key: string): string | undefined {
    const winner = this.#winners.get(key);
    if (winner === undefined) return undefined;
    this.#winners.delete(key);
    if (winner.until <= this.#clock.now()) return undefined;
    this.#winners.set(key, winner);
    return winner.address;
  }
}

const keyOf = ({ host, port }: Endpoint): string => `${host} ${port}`;
