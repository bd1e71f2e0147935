/** The authority as it is configured: a conversation under our account for each certificate, from its first word to the chain. */

import type { AcmeConfig } from '../config/acme.ts';
import type { Https } from '../net/https.ts';
import type { KeyPair } from '../net/key-pair.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { AcmeClient } from './acme-client.ts';
import { AcmeError } from './acme-error.ts';
import { type CertificateWanted, obtainCertificate } from './obtain.ts';
import { type RenewalWindow, readRenewalInfo } from './renewal-info.ts';
import type { Responder } from './responders.ts';
import type { Account, Vault } from './vault.ts';

export interface AuthorityParts {
  settings: AcmeConfig;
  vault: Vault;
  https: Https;
  /** The key that the authority has given to its customer (RFC 8555 §7.3.4); undefined where it needs none. */
  externalKey(): Promise<string | undefined>;
  responder(signal: AbortSignal): Responder;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

export interface Advice {
  window: RenewalWindow;
  retryAfterMs?: number;
}

export class Authority {
  readonly #parts: AuthorityParts;
  /** How far our clock is ahead of its, where that is far. */
  clockAheadMs: number | undefined;

  constructor(parts: AuthorityParts) {
    this.#parts = parts;
  }

  /** Rejects with an AcmeError, or the signal's reason. */
  async obtain(wanted: CertificateWanted): Promise<KeyPair> {
    const { vault, settings } = this.#parts;
    const account = await vault.account(settings.directory);
    try {
      return await this.#obtainAs(account, wanted);
    } catch (error) {
      // A test authority that was started anew, or an account that was closed.
      if (!(error instanceof AcmeError) || error.type !== 'accountDoesNotExist') throw error;
      await vault.keepAccount(settings.directory, undefined);
      return this.#obtainAs({ key: account.key }, wanted);
    }
  }

  /** When it would have this certificate renewed; undefined where it gives no advice. */
  async advice(certificateId: string): Promise<Advice | undefined> {
    const { vault, settings } = this.#parts;
    const client = this.#client((await vault.account(settings.directory)).key);
    const answer = await client.renewalInfo(certificateId);
    this.clockAheadMs = client.clockAheadMs;
    if (answer === undefined) return undefined;
    const { body, retryAfterMs } = answer;
    return { window: readRenewalInfo(body), ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }

  async #obtainAs({ key, url }: Account, wanted: CertificateWanted): Promise<KeyPair> {
    const { vault, settings, clock, log, responder, signal } = this.#parts;
    const client = this.#client(key);
    try {
      if (url === undefined) await this.#register(client);
      else client.useAccount(url);
      const { caaIdentities } = await client.directory();
      await vault.keepIdentities(settings.directory, caaIdentities);
      const parts = { client, accountKey: key, responder: responder(signal), log, now: clock.now };
      return await obtainCertificate(parts, wanted);
    } finally {
      this.clockAheadMs = client.clockAheadMs;
    }
  }

  async #register(client: AcmeClient): Promise<void> {
    const { settings, vault, externalKey, log } = this.#parts;
    const { contact, directory, eabKeyId } = settings;
    const hmacKey = await externalKey();
    const external =
      eabKeyId === undefined || hmacKey === undefined ? undefined : { keyId: eabKeyId, hmacKey };
    const url = await client.account({ contact, external });
    await vault.keepAccount(directory, url);
    log.info({ directory, account: url }, 'account with the certificate authority');
  }

  #client(accountKey: Account['key']): AcmeClient {
    const { https, clock, settings, signal } = this.#parts;
    return new AcmeClient({ https, clock, directory: new URL(settings.directory), accountKey, signal });
  }
}
