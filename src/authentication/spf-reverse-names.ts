/** The client's own names, as SPF asks about them: `ptr` and the macro `%{p}`. RFC 7208 §5.5, §7.3. */

import { reverseName } from '../dns/reverse.ts';
import type { LookUps } from './look-ups.ts';
import { isInNetwork, octetsOf } from './spf-address.ts';

export interface SpfAddress {
  /** Canonical; IPv4 in IPv6 clothes is IPv4. */
  address: string;
  /** Of the address, four or sixteen. */
  octets: readonly number[];
}

/** Names that are looked at (§4.6.4). */
const maxNames = 10;

export class ReverseNames {
  readonly #lookUps: LookUps;
  readonly #client: SpfAddress;
  readonly #countVoid: () => void;
  #found: Promise<string[]> | undefined;

  /** `countVoid` is told of a look-up without an answer, and may throw. */
  constructor(lookUps: LookUps, client: SpfAddress, countVoid: () => void) {
    this.#lookUps = lookUps;
    this.#client = client;
    this.#countVoid = countVoid;
  }

  /** Whether one that leads back to the client is `target` or below it; a failure is as none. */
  async hasOneBelow(target: string): Promise<boolean> {
    const lower = target.toLowerCase();
    const names = (await this.#all()).filter((name) => name === lower || name.endsWith(`.${lower}`));
    for (const name of names) if (await this.#leadsBack(name)) return true;
    return false;
  }

  /** The domain's own name first, then one below it, then any; `unknown` where none leads back. */
  async bestFor(domain: string): Promise<string> {
    const names = await this.#all();
    const lower = domain.toLowerCase();
    const ranked = [
      ...names.filter((name) => name === lower),
      ...names.filter((name) => name.endsWith(`.${lower}`)),
      ...names,
    ];
    for (const name of new Set(ranked)) if (await this.#leadsBack(name)) return name;
    return 'unknown';
  }

  #all(): Promise<string[]> {
    this.#found ??= this.#find();
    return this.#found;
  }

  async #find(): Promise<string[]> {
    const answer = await this.#lookUps.ask(reverseName(this.#client.address), 'PTR');
    if (answer.status !== 'found') {
      if (answer.status === 'none') this.#countVoid();
      return [];
    }
    return answer.records.slice(0, maxNames).map((name) => name.toLowerCase());
  }

  async #leadsBack(name: string): Promise<boolean> {
    const answer = hasValidLengths(name)
      ? await this.#lookUps.ask(name, addressTypeOf(this.#client))
      : undefined;
    return (
      answer?.status === 'found' &&
      answer.records.some((address) => isInNetwork(this.#client.octets, octetsOf(address), 128))
    );
  }
}

export const addressTypeOf = ({ octets }: SpfAddress): 'A' | 'AAAA' => (octets.length === 4 ? 'A' : 'AAAA');

/** Not `isAskableName()`: a macro may expand to a name with a space, and RFC 7208's suite asks for one. */
export const hasValidLengths = (name: string): boolean =>
  name.length <= 253 && name.split('.').every((label) => label.length > 0 && label.length <= 63);
