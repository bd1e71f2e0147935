/** What DNS has to show before a step of ours: a text of a challenge (RFC 8555 §8.4), a TLSA record of a key (RFC 7671 §8.1). */

import { type Clock, sleep } from '../util/clock.ts';
import { type AuthoritativeParts, askAuthorities, type Looked } from './authoritative.ts';

export interface DnsProofs {
  /** As the responder for dns-01 wants it. */
  shownInDns(name: string, text: string, signal: AbortSignal): Promise<string | undefined>;
  tlsaOf(host: string, signal: AbortSignal): Promise<TlsaShown>;
}

/** What the servers of a zone say of one host's keys. */
export type TlsaShown =
  /** SHA-256 of public keys, on all of them; `ttl` in seconds. Empty: there are none. */
  { keys: readonly string[]; somewhere: readonly string[]; ttl: number } | { error: string };

/** A secondary server may lag behind its primary. */
export const propagationMs = 180_000;
const lookEveryMs = 5_000;

export function dnsProofs(parts: AuthoritativeParts, clock: Clock): DnsProofs {
  return {
    async shownInDns(name, text, signal) {
      const end = clock.now() + propagationMs;
      for (;;) {
        const missing = await missingText(parts, { name, text }, signal);
        if (missing === undefined || clock.now() >= end) return missing;
        await sleep(clock, lookEveryMs, signal);
      }
    },
    async tlsaOf(host, signal) {
      try {
        const question = { name: `_25._tcp.${host}`, type: 'TLSA' } as const;
        return keysIn(await askAuthorities(parts, question, signal));
      } catch (error) {
        signal.throwIfAborted();
        return { error: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}

async function missingText(
  parts: AuthoritativeParts,
  { name, text }: { name: string; text: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const looked = await askAuthorities(parts, { name, type: 'TXT' }, signal);
    const lacking = looked.find((one) => 'error' in one || !one.texts.includes(text));
    if (lacking === undefined) return undefined;
    return `${lacking.server} ${'error' in lacking ? lacking.error : 'does not show it'}`;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
}

function keysIn(looked: readonly Looked[]): TlsaShown {
  const perServer: string[][] = [];
  let ttl = 0;
  for (const one of looked) {
    if ('error' in one) return { error: `${one.server} ${one.error}` };
    perServer.push(one.texts.flatMap(keyOf));
    ttl = Math.max(ttl, one.ttl);
  }
  const somewhere = [...new Set(perServer.flat())];
  return { keys: somewhere.filter((key) => perServer.every((keys) => keys.includes(key))), somewhere, ttl };
}

/** DANE-EE, SubjectPublicKeyInfo, SHA-256: the form that we publish. Others are somebody's own, and bind as well. */
const keyOf = (text: string): string[] => {
  const [usage, selector, matching, data = ''] = text.toLowerCase().split(' ');
  return usage === '3' && selector === '1' && matching === '1' ? [data] : [`other: ${text}`];
};
