/**
 * The addresses of ours at which reports arrive: those that the configuration names, postmaster@ and abuse@ each domain
 * (RFC 2142, RFC 9477), and those that our own DNS records give to the world (`rua` of DMARC and TLS-RPT), which are looked up
 * now and then.
 */

import { readDmarcRecord } from '../../authentication/dmarc-record.ts';
import { mailUris } from '../../dmarc-rpt/record.ts';
import type { Resolver } from '../../dns/resolver.ts';
import { addressKey, parseAddress } from '../../mail/address.ts';
import { findMailtoAddress } from '../../mail/mailto.ts';
import { readReportUris } from '../../tls-rpt/record.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';

export interface OwnAddressesParts {
  resolver: Resolver;
  clock: Clock;
  log: Log;
  /** A-labels. */
  domains: readonly string[];
  /** As `addressKey()` writes them. */
  configured: readonly string[];
}

/** Between two looks at our own records; the first soon after the start. */
export const refreshMs = 6 * 3600_000;
export const firstLookMs = 10_000;
/** Domains of ours whose records are looked up. */
const maxDomains = 1000;

/** The names of the records, before the domain. */
const labels = ['_dmarc.', '_smtp._tls.'] as const;

export class OwnAddresses {
  readonly #parts: OwnAddressesParts;
  readonly #fixed: ReadonlySet<string>;
  #published: ReadonlySet<string> = new Set();
  readonly #stop = new AbortController();
  #cancel = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(parts: OwnAddressesParts) {
    this.#parts = parts;
    const usual = parts.domains.flatMap((domain) => [`postmaster@${domain}`, `abuse@${domain}`]);
    this.#fixed = new Set([...parts.configured, ...usual]);
  }

  start(): void {
    this.#plan(firstLookMs);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the server stops'));
    this.#cancel();
    await this.#running;
  }

  /** `address` as it was spelled. */
  has(address: string): boolean {
    // As it is spelled nearly always.
    const lower = address.toLowerCase();
    if (this.#fixed.has(lower) || this.#published.has(lower)) return true;
    if (!lower.startsWith('"')) return false;
    const parsed = parseAddress(address);
    return (
      parsed !== undefined && (this.#fixed.has(addressKey(parsed)) || this.#published.has(addressKey(parsed)))
    );
  }

  #plan(delayMs: number): void {
    this.#cancel = this.#parts.clock.after(delayMs, () => {
      this.#running = this.#look()
        .catch((error: unknown) => {
          // The resolver rejects by the signal alone; anything else is a bug.
          if (!this.#stop.signal.aborted)
            this.#parts.log.error({ err: error }, 'own report addresses could not be looked up');
        })
        .finally(() => {
          if (!this.#stop.signal.aborted) this.#plan(refreshMs);
        });
    });
  }

  /** What cannot be found out now stays as it was. */
  async #look(): Promise<void> {
    const { domains } = this.#parts;
    const found = new Set<string>();
    let isKnown = true;
    for (const domain of domains.slice(0, maxDomains))
      for (const label of labels) {
        const addresses = await this.#addressesIn(`${label}${domain}`);
        for (const address of addresses ?? []) found.add(address);
        isKnown &&= addresses !== undefined;
      }
    this.#published = isKnown ? found : new Set([...this.#published, ...found]);
  }

  async #addressesIn(name: string): Promise<string[] | undefined> {
    const answer = await this.#parts.resolver.resolve(name, 'TXT', this.#stop.signal);
    if (answer.status === 'failed') return undefined;
    const texts = answer.status === 'found' ? answer.records.map((strings) => strings.join('')) : [];
    const addresses = name.startsWith('_dmarc.')
      ? texts.flatMap((text) => mailUris(readDmarcRecord(text)?.reportUris ?? []).map((uri) => uri.address))
      : readReportUris(texts).flatMap((uri) => findMailtoAddress(uri) ?? []);
    return addresses.map(addressKey);
  }
}
