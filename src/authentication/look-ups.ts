/** DNS for one check of one message: a limit on the number of questions, and a signal that ends them all. */

import type { Answer, RecordType, RecordTypes, Resolver } from '../dns/resolver.ts';

export interface LookUps {
  /** Aborted when the time for the whole check is over. */
  signal: AbortSignal;
  ask<T extends RecordType>(name: string, type: T): Promise<Answer<RecordTypes[T]>>;
  /** How many questions were asked. */
  count(): number;
}

/** `limit` is the greatest number of questions; the ones after it fail, as do all after `signal` is aborted. */
export function lookUps(resolver: Resolver, limit: number, signal: AbortSignal): LookUps {
  let asked = 0;
  const aborted = whenAborted(signal);
  const ask: LookUps['ask'] = async (name, type) => {
    if (asked >= limit) return { status: 'failed', detail: `the limit of ${limit} DNS look-ups is reached` };
    asked++;
    try {
      signal.throwIfAborted();
      return await Promise.race([resolver.resolve(name, type, signal), aborted]);
    } catch (error) {
      // The resolver rejects for an aborted signal only; anything else is a bug that must be seen.
      if (!signal.aborted) throw error;
      return { status: 'failed', detail: `no time was left for ${type} of ${name}` };
    }
  };
  return { signal, ask, count: () => asked };
}

function whenAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  // It may be aborted while nobody waits for an answer.
  promise.catch(() => undefined);
  return promise;
}
