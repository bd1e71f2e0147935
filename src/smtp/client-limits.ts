/** The limits that a receiver announces for one session (LIMITS, RFC 9422), and what a session has used of them. */

import { parseAddress } from '../mail/address.ts';
import type { Extensions } from './client-extensions.ts';

/** Infinite where nothing is said. */
export interface ReceiverLimits {
  /** RCPTMAX: recipients in one transaction. */
  recipients: number;
  /** MAILMAX: transactions in one session. */
  transactions: number;
  /** RCPTDOMAINMAX: different domains of recipients in one session. */
  domains: number;
}

/** Undefined where there are none. What is malformed or unknown is no limit. */
export function parseLimits(extensions: Extensions): ReceiverLimits | undefined {
  const value = extensions.get('LIMITS');
  if (value === undefined) return undefined;
  const given = new Map(value.split(/[ ;]+/).map((limit) => readLimit(limit)));
  const limitOf = (name: string) => given.get(name) ?? Number.POSITIVE_INFINITY;
  return {
    recipients: limitOf('RCPTMAX'),
    transactions: limitOf('MAILMAX'),
    domains: limitOf('RCPTDOMAINMAX'),
  };
}

/** `RCPTMAX=100`, without a leading zero, at most six digits. */
function readLimit(limit: string): [name: string, value: number | undefined] {
  const [, name = '', digits] = /^([A-Za-z0-9-]+)=([1-9]\d{0,5})$/.exec(limit) ?? [];
  return [name.toUpperCase(), digits === undefined ? undefined : Number(digits)];
}

/** What is left of the limits in one session. */
export class SessionQuota {
  readonly #limits: ReceiverLimits;
  #transactions = 0;
  readonly #domains = new Set<string>();

  constructor(limits: ReceiverLimits) {
    this.#limits = limits;
  }

  /** Those of the recipients, in their order, who may go into the next transaction; none where another session is needed. */
  admit<T extends { recipient: string }>(candidates: readonly T[]): T[] {
    if (this.#transactions >= this.#limits.transactions) return [];
    const domains = new Set(this.#domains);
    const admitted: T[] = [];
    for (const candidate of candidates) {
      if (admitted.length >= this.#limits.recipients) break;
      const domain = domainOf(candidate.recipient);
      if (!domains.has(domain) && domains.size >= this.#limits.domains) continue;
      domains.add(domain);
      admitted.push(candidate);
    }
    return admitted;
  }

  /** A transaction for these recipients begins. */
  use(recipients: readonly { recipient: string }[]): void {
    this.#transactions++;
    for (const { recipient } of recipients) this.#domains.add(domainOf(recipient));
  }

  /** Whatever comes next may be too much: its domains are not known yet. */
  get isUsedUp(): boolean {
    return this.#transactions >= this.#limits.transactions || this.#domains.size >= this.#limits.domains;
  }
}

const domainOf = (recipient: string): string =>
  parseAddress(recipient)?.domain ?? recipient.slice(recipient.lastIndexOf('@') + 1).toLowerCase();
