/**
 * Whether somebody guesses at one account from many addresses: then who has not logged in to it before, from that client's
 * place, has to wait, and those who have are not troubled. So nobody can shut an account's owner out by guessing. Places are
 * kept as memos; of one that has just been used, nothing is read or written.
 */

import { addressKey, parseAddress } from '../../mail/address.ts';
import { clientNetworks } from '../../net/client-networks.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import { LeakyLevels } from '../../util/leaky-levels.ts';
import type { Log } from '../../util/log.ts';

export interface LoginPlacesParts {
  store: Pick<Store, 'findMemo' | 'writeMemos'>;
  clock: Clock;
  log: Log;
  /** Failed logins of one account within an hour, from wherever; 0: as many as there are. */
  accountAuthFailures: number;
}

const hour = 3600_000;
const day = 24 * hour;
/** A place is known so long after it was last used. */
export const placeLifeMs = 30 * day;
/** Places of one account, those used last. */
export const maxPlaces = 20;
/** Names of accounts, be there such or not, of which failures are counted; and places that need not be written down again. */
const maxRemembered = 20_000;
/** Names are cut to this: longer ones are no account's. */
const maxNameLength = 320;

export const placesKind = 'login-places';

/** When it was last used, by clientNetworks(). */
type Places = Record<string, number>;

export class LoginPlaces {
  readonly #parts: LoginPlacesParts;
  readonly #failures: LeakyLevels;
  /** `account client` → when that was written down. */
  readonly #written = new Map<string, number>();
  /** One after the other: each reads what the one before has written. */
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: LoginPlacesParts) {
    this.#parts = parts;
    const limit = () => parts.accountAuthFailures;
    this.#failures = new LeakyLevels({ limit, windowMs: hour, maxNames: maxRemembered });
  }

  get #isCounting(): boolean {
    return this.#parts.accountAuthFailures > 0;
  }

  failed(user: string): void {
    if (this.#isCounting) this.#failures.add(nameOf(user), 1, this.#parts.clock.now());
  }

  /** Resolves to whether the account is guessed at, and this is no place where its owner is known to be. */
  async isBesieged(user: string, address: string): Promise<boolean> {
    const name = nameOf(user);
    if (!this.#isCounting || !this.#failures.isOver(name, this.#parts.clock.now())) return false;
    const places = await this.#read(name);
    return places[clientNetworks(address).client] === undefined;
  }

  /** Remembers the place, in the background; a failure to write is only logged. */
  succeeded(account: string, address: string): void {
    const { clock, log } = this.#parts;
    const { client } = clientNetworks(address);
    const key = `${account} ${client}`;
    const now = clock.now();
    if (now - (this.#written.get(key) ?? 0) < day) return;
    this.#written.delete(key);
    const [oldest] = this.#written.size >= maxRemembered ? this.#written.keys() : [];
    if (oldest !== undefined) this.#written.delete(oldest);
    this.#written.set(key, now);
    this.#writing = this.#writing
      .then(() => this.#write(account, client, now))
      .catch((error) => {
        this.#written.delete(key);
        log.warn({ err: error }, 'cannot write down where an account was used');
      });
  }

  async #write(account: string, client: string, now: number): Promise<void> {
    const known = Object.entries(await this.#read(account)).sort(([, a], [, b]) => b - a);
    const others = known.filter(([place]) => place !== client).slice(0, maxPlaces - 1);
    const value: Places = Object.fromEntries([[client, now], ...others]);
    const memo = { kind: placesKind, key: account, value, expiresAt: now + placeLifeMs };
    await this.#parts.store.writeMemos([memo]);
  }

  async #read(account: string): Promise<Places> {
    const now = this.#parts.clock.now();
    const memo = await this.#parts.store.findMemo(placesKind, account);
    const places = (memo?.value ?? {}) as Places; // written by #write()
    return Object.fromEntries(Object.entries(places).filter(([, at]) => now - at < placeLifeMs));
  }
}

/** As accounts are named, however it is spelled, if it is one: each spelling has not its own guesses. */
function nameOf(user: string): string {
  const address = parseAddress(user);
  return address ? addressKey(address) : user.slice(0, maxNameLength).normalize('NFC').toLowerCase();
}
