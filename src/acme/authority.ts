/** The authority as it is configured: a conversation under our account for each certificate, from its first word to the chain. */

import type { AcmeConfig } from '../config/acme.ts';
import type { Https } from '../net/https.ts';
import type { KeyPair } from '../net/key-pair.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { AcmeClient } from './acme-client.ts';
import { AcmeError } from './acme-error.ts';
import { keyOf } from './keys.ts';
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

  /** As one whose key others may know. Rejects as above. */
  async revoke(pair: KeyPair): Promise<void> {
    await this.#client(keyOf(pair)).revoke(pair.certificate);
  }

  async #obtainAs({ key, url }: Account, wanted: CertificateWanted): Promise<KeyPair> {
    const { vault, settings, clock, log, responder, signal } = this.#parts;
    const client = this.#client(key);
    let account = url;
    try {
      if (account === undefined) account = await this.#register(client);
      else client.useAccount(account);
      const { caaIdentities } = await client.directory();
      await vault.keepIdentities(settings.directory, caaIdentities);
      const parts = { client, accountKey: key, responder: responder(signal), log, now: clock.now };
      return await obtainCertificate(parts, wanted);
    } catch (error) {
      throw error instanceof AcmeError && error.type === 'caa' ? this.#forbidden(error, account) : error;
    } finally {
      this.clockAheadMs = client.clockAheadMs;
    }
  }

  /** RFC 8659 §4, RFC 8657: mostly a record for another account, or for another challenge. */
  #forbidden(cause: AcmeError, account: string | undefined): AcmeError {
    const { type, retryAfterMs } = cause;
    const text = `${cause.message}. CAA records in DNS say who may issue: they must let our account (${account}) have a certificate by ${this.#parts.settings.challenge}; posthorn doctor shows the record to enter`;
    return new AcmeError('refused', text, { type, retryAfterMs, cause });
  }

  async #register(client: AcmeClient): Promise<string> {
    const { settings, vault, externalKey, log } = this.#parts;
    const { contact, directory, eabKeyId: keyId } = settings;
    const hmacKey = await bindingKey(externalKey);
    const external = keyId === undefined || hmacKey === undefined ? undefined : { keyId, hmacKey };
    const url = await client.account({ contact, external });
    await vault.keepAccount(directory, url);
    log.info({ directory, account: url }, 'account with the certificate authority');
    return url;
  }

  #client(accountKey: Account['key']): AcmeClient {
    const { https, clock, settings, signal } = this.#parts;
    return new AcmeClient({ https, clock, directory: new URL(settings.directory), accountKey, signal });
  }
}

/** The file may be gone since the start; what a browser has copied along would come to another key. */
async function bindingKey(read: AuthorityParts['externalKey']): Promise<string | undefined> {
  const text = await read().catch((error: Error) => {
    throw new AcmeError('ours', `eabKeyFile cannot be used: ${error.message}`, { cause: error });
  });
  if (text === undefined || /^[\w+/-]+={0,2}$/.test(text)) return text;
  const remedy = 'copy the key into its first line as the authority shows it, and nothing else';
  throw new AcmeError('ours', `what is in eabKeyFile is no key in base64url: ${remedy}`);
}
