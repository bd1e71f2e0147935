/** Counts sessions, in all and per client address, so that one client cannot use up the server. */

import { parseIpv6 } from '../dns/ip.ts';

export interface AdmissionLimits {
  sessions: number;
  sessionsPerAddress: number;
  /** True for addresses that the per-address limit does not count against. */
  exempt(address: string): boolean;
}

export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Lets a session in and returns how it leaves, to be called once; undefined where a limit is reached. */
  enter(address: string): (() => void) | undefined {
    const { sessions, sessionsPerAddress, exempt } = this.#limits;
    const key = networkOf(address);
    const here = this.#byAddress.get(key) ?? 0;
    if (this.#total >= sessions || (here >= sessionsPerAddress && !exempt(address))) return undefined;
    this.#total++;
    this.#byAddress.set(key, here + 1);
    return () => this.#leave(key);
  }

  #leave(key: string): void {
    this.#total--;
    const left = (this.#byAddress.get(key) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(key);
    else this.#byAddress.set(key, left);
  }
}

/** One customer has one IPv4 address, but a whole /64 of IPv6. */
function networkOf(address: string): string {
  return parseIpv6(address)?.slice(0, 4).join(':') ?? address;
}
