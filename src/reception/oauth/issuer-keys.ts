/**
 * The keys of an issuer: found by OpenID Connect Discovery 1.0, kept for an hour, and fetched anew when a token names one
 * that is not there. However many tokens come, the issuer is asked once a minute at most; where it does not answer, what was
 * there serves for a day.
 */

import type { Https } from '../../net/https.ts';
import { readKeys, type VerificationKey } from '../../oauth/jwks.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { fetchJson, IssuerError } from './json-fetch.ts';

export const freshMs = 3600_000;
export const leastWaitMs = 60_000;
export const staleMs = 24 * 3600_000;

export interface IssuerKeysParts {
  issuer: string;
  https: Https;
  clock: Clock;
  log: Log;
}

export const configurationUrl = (issuer: string): string =>
  `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

export class IssuerKeys {
  readonly #parts: IssuerKeysParts;
  #keys: readonly VerificationKey[] = [];
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(parts: IssuerKeysParts) {
    this.#parts = parts;
  }

  /**
   * The keys that `choose` finds; asked again of new ones where it finds none. Undefined where there are no keys at all that
   * could be trusted now.
   */
  async find(
    choose: (keys: readonly VerificationKey[]) => VerificationKey[],
  ): Promise<VerificationKey[] | undefined> {
    if (this.#age > freshMs) await this.#refresh();
    const known = choose(this.#usable);
    if (known.length === 0) await this.#refresh();
    return this.#age > staleMs ? undefined : choose(this.#usable);
  }

  get #age(): number {
    return this.#parts.clock.now() - this.#fetchedAt;
  }

  get #usable(): readonly VerificationKey[] {
    return this.#age > staleMs ? [] : this.#keys;
  }

  async #refresh(): Promise<void> {
    const now = this.#parts.clock.now();
    if (!this.#fetching && now - this.#askedAt < leastWaitMs) return;
    this.#askedAt = this.#fetching ? this.#askedAt : now;
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    await this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { issuer, https, clock, log } = this.#parts;
    try {
      const configuration = await fetchJson(https, { url: configurationUrl(issuer) });
      if (configuration.issuer !== issuer)
        throw new IssuerError(`the configuration of ${issuer} is that of another issuer`);
      const { jwks_uri: url } = configuration;
      if (typeof url !== 'string' || !URL.canParse(url))
        throw new IssuerError(`the configuration of ${issuer} names no keys`);
      const keys = readKeys(await fetchJson(https, { url }));
      if (keys === undefined) throw new IssuerError(`${url} is no set of keys`);
      this.#keys = keys;
      this.#fetchedAt = clock.now();
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error;
      log.warn({ issuer, reason: error.message }, 'the keys of the issuer of tokens cannot be had');
    }
  }
}
