/**
 * DNS for one check of one message: a limit on the number of questions, a signal that ends them all, and a view of
 * our Resolver as mailauth wants it, which is node:dns's: arrays, and errors with codes.
 */

import { canonicalName } from '../dns/name.ts';
import type { Answer, RecordType, RecordTypes, Resolver } from '../dns/resolver.ts';

export interface LookUps {
  /** Aborted when the time for the whole check is over. */
  signal: AbortSignal;
  ask<T extends RecordType>(name: string, type: T): Promise<Answer<RecordTypes[T]>>;
  /** As node:dns: rejects with ENOTFOUND (no such name), ENODATA (no such record) or ESERVFAIL (not known now). */
  resolve(name: string, type: string): Promise<unknown[]>;
  /** How many questions were asked. */
  count(): number;
}

const recordTypes: readonly string[] = ['A', 'AAAA', 'MX', 'TXT', 'CNAME', 'PTR'] satisfies RecordType[];
const isRecordType = (type: string): type is RecordType => recordTypes.includes(type);

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
  return { signal, ask, resolve: (name, type) => resolveLikeNode(ask, name, type), count: () => asked };
}

function whenAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  // It may be aborted while nobody waits for an answer.
  promise.catch(() => undefined);
  return promise;
}

async function resolveLikeNode(ask: LookUps['ask'], name: string, type: string): Promise<unknown[]> {
  const plain = canonicalName(name);
  // A name that cannot be put into a question does not exist (RFC 1035 §2.3.4).
  if (!isRecordType(type) || !hasValidLengths(plain))
    throw dnsError('ENOTFOUND', `${type} of ${plain} cannot be asked`);
  if (type === 'MX') {
    const exchanges = found(await ask(plain, 'MX'), plain, type);
    return exchanges.map(({ preference, exchange }) => ({ priority: preference, exchange }));
  }
  return found<unknown>(await ask(plain, type), plain, type);
}

/** A copy of the records, as mailauth sorts what it gets. */
function found<T>(answer: Answer<T>, name: string, type: string): T[] {
  if (answer.status === 'found') return [...answer.records];
  if (answer.status === 'failed') throw dnsError('ESERVFAIL', `${type} of ${name}: ${answer.detail}`);
  throw dnsError(
    answer.reason === 'nodata' ? 'ENODATA' : 'ENOTFOUND',
    `${type} of ${name}: ${answer.reason}`,
  );
}

/** Not `isAskableName()`: a macro may expand to a name with a space, and RFC 7208's suite asks for one. */
function hasValidLengths(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => label.length > 0 && label.length <= 63);
}

function dnsError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
