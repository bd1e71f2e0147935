/**
 * Whether a new key may be used: senders with DANE (RFC 7672) hold us to the TLSA records that they have, for as long as they may
 * keep them. So a record of the new key is everywhere first, for two lives of such records (RFC 7671 §8.1), and only then the key.
 */

import type { DnsProofs } from './dns-proof.ts';

export interface GateQuestion {
  /** Hosts that the certificate is for. */
  names: readonly string[];
  /** SHA-256 of the public keys, in hexadecimal. */
  next: string;
  /** The one that is shown now; absent: none that anybody could have been told of. */
  current?: string | undefined;
  /** A record must be there, also where there are none yet: for this host. */
  mustShow?: string | undefined;
  shownSince?: number | undefined;
  ttl: number;
  now: number;
}

export interface GateAnswer {
  isOpen: boolean;
  /** For people: what is waited for. */
  why?: string;
  shownSince?: number;
  /** In seconds: the longest that was seen. */
  ttl: number;
  /** When it opens, if all stays as it is. */
  opensAt?: number;
}

/** Records that live shorter are waited for as if they lived so long: caches have a least of their own. */
export const leastTtlSeconds = 300;

export async function askGate(
  proofs: Pick<DnsProofs, 'tlsaOf'>,
  question: GateQuestion,
  signal: AbortSignal,
): Promise<GateAnswer> {
  const { next, current, mustShow, now } = question;
  let { ttl } = question;
  let isBound = false;
  for (const name of question.names.filter((each) => !each.startsWith('*.'))) {
    const shown = await proofs.tlsaOf(name, signal);
    if ('error' in shown) {
      // For a name that we show no certificate for there is nothing to keep: the first one can only be better.
      if (current === undefined) continue;
      const since = question.shownSince;
      const why = `what DNS shows at _25._tcp.${name} is not known: ${shown.error}`;
      return { isOpen: false, why, ttl, ...(since !== undefined && { shownSince: since }) };
    }
    ttl = Math.max(ttl, shown.ttl);
    if (shown.somewhere.length === 0 && name !== mustShow) continue;
    // Of records that are right for nothing of ours, nothing is to be kept.
    if (current !== undefined && !shown.somewhere.includes(current) && !shown.somewhere.includes(next))
      if (name !== mustShow) continue;
    isBound = true;
    if (!shown.keys.includes(next)) {
      const where = shown.somewhere.includes(next) ? 'not all name servers show' : 'DNS does not show';
      return { isOpen: false, why: `${where} _25._tcp.${name} TLSA 3 1 1 ${next}`, ttl };
    }
  }
  if (!isBound) return { isOpen: true, ttl };
  const shownSince = question.shownSince ?? now;
  const opensAt = shownSince + 2 * Math.max(ttl, leastTtlSeconds) * 1000;
  if (now >= opensAt) return { isOpen: true, shownSince, ttl };
  const why = 'DNS shows the TLSA record of the new key; caches may still have the records from before';
  return { isOpen: false, why, shownSince, ttl, opensAt };
}
