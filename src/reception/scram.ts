/**
 * SCRAM for our accounts: whose keys an exchange is about, how an account comes by them, and whether the mechanism is
 * offered. Who is unknown, or has no keys, gets pretended ones: nobody learns from us who has an account.
 */

import { randomBytes } from 'node:crypto';
import { addressKey, parseAddress } from '../mail/address.ts';
import type { Service, StartMechanism } from '../sasl/exchange.ts';
import { makeScramKeys, pretendedKeys, type ScramMechanism } from '../sasl/scram.ts';
import { type AllKeys, scramServer } from '../sasl/scram-server.ts';
import { readAppPasswords, saltOf, serves } from '../store/app-passwords.ts';
import type { Authenticator } from '../store/passwords.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Turnstile } from '../util/turnstile.ts';

export interface ScramParts {
  store: Pick<Store, 'findAccount' | 'addScramKeys' | 'lacksScramKeys' | 'findMemo' | 'writeMemos'>;
  /** Lets one in at a time who changes an account. Default: nobody else does. */
  turns?: { accounts: Turnstile };
  /** `auto`: offered once every account has keys: clients choose it where they can, and do not fall back. */
  offer: 'auto' | 'always' | 'never';
  clock: Clock;
  log: Log;
}

/** Strongest first. */
const mechanisms: readonly ScramMechanism[] = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'];

/** How long it may take until it is seen that an account has come by keys, or that there is one without. */
export const lookAgainMs = 10_000;

const secretBytes = 32;
const memo = { kind: 'login', key: 'scram-secret' };

export class Scram {
  readonly #parts: ScramParts;
  readonly #secret: Buffer;
  #isOffered: boolean;
  #lookedAt: number;

  private constructor(parts: ScramParts, secret: Buffer, isOffered: boolean) {
    this.#parts = parts;
    this.#secret = secret;
    this.#isOffered = isOffered;
    this.#lookedAt = parts.clock.now();
  }

  static async open(parts: ScramParts): Promise<Scram> {
    return new Scram(parts, await takeUpSecret(parts.store), await isOffered(parts));
  }

  /** What is offered to a client that comes now. */
  get offered(): readonly ScramMechanism[] {
    const { offer, clock } = this.#parts;
    if (offer === 'auto' && clock.now() - this.#lookedAt >= lookAgainMs) this.#lookAgain();
    return this.#isOffered ? mechanisms : [];
  }

  get mechanisms(): ReadonlyMap<string, StartMechanism> {
    return new Map(
      mechanisms.map((name) => {
        const start: StartMechanism = (binding, service) =>
          scramServer(name, { keysOf: (user) => this.#keysOf(user, service), binding });
        return [name, start] as const;
      }),
    );
  }

  /** An account without keys gets them by a login with its password. */
  keeping(authenticate: Authenticator): Authenticator {
    if (this.#parts.offer === 'never') return authenticate;
    return async (user, password, service) => {
      // Before the password is checked: if it is changed meanwhile, the keys must not be those of the old one.
      const account = await this.#findAccount(user);
      const found = await authenticate(user, password, service);
      if (found && found.appPassword === undefined && account?.scramKeys === undefined)
        await this.#addKeys(found.account, account?.passwordHash ?? '', password);
      return found;
    };
  }

  async #addKeys(address: string, passwordHash: string, password: string): Promise<void> {
    const { store, log, turns } = this.#parts;
    await turns?.accounts.enter();
    try {
      const salt = saltOf(undefined, await readAppPasswords(store, address));
      await store.addScramKeys(address, passwordHash, await makeScramKeys(password, salt));
    } catch (error) {
      log.warn({ err: error, account: address }, 'cannot keep SCRAM keys; the next login tries again');
    } finally {
      turns?.accounts.leave();
    }
  }

  /** Where the account's own password does not do, its keys are those of no password, in the salt of the others. */
  async #keysOf(user: string, service: Service): Promise<AllKeys> {
    const pretended = pretendedKeys(this.#secret, user);
    const account = await this.#findAccount(user);
    const appPasswords = account ? await readAppPasswords(this.#parts.store, account.address) : [];
    const own = account?.settings?.appPasswordsOnly ? undefined : account?.scramKeys;
    const salt = saltOf(account, appPasswords);
    const others = appPasswords
      .filter((each) => serves(each, service) && each.scramKeys.salt === salt)
      .map(({ name, scramKeys }) => ({ ...scramKeys, name }));
    return { ...(own ?? { ...pretended, ...(salt !== undefined && { salt }) }), others };
  }

  async #findAccount(user: string) {
    const address = parseAddress(user);
    return address && this.#parts.store.findAccount(addressKey(address));
  }

  #lookAgain(): void {
    const { log, clock } = this.#parts;
    this.#lookedAt = clock.now();
    isOffered(this.#parts).then(
      (found) => {
        this.#isOffered = found;
      },
      (error) => log.warn({ err: error }, 'cannot see whether every account has SCRAM keys'),
    );
  }
}

async function isOffered({ offer, store }: ScramParts): Promise<boolean> {
  return offer === 'always' || (offer === 'auto' && !(await store.lacksScramKeys()));
}

/** Kept: after a restart the salts of those who do not exist must be the same as before, as those of the others are. */
async function takeUpSecret(store: ScramParts['store']): Promise<Buffer> {
  const kept = await store.findMemo(memo.kind, memo.key);
  if (typeof kept?.value === 'string') return Buffer.from(kept.value, 'base64');
  const secret = randomBytes(secretBytes);
  await store.writeMemos([{ ...memo, value: secret.toString('base64') }]);
  return secret;
}
