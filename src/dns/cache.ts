/**
 * A resolver's memory: answers for as long as their TTL allows, one question upstream for all who ask it at the same
 * moment. Knows nothing of sockets or of mail. RFC 2308 (negative answers; §7.1 on failures).
 */

import type { Clock } from '../util/clock.ts';
import { canonicalName } from './name.ts';
import type { Answer, RecordType, RecordTypes, Resolver } from './resolver.ts';

export interface CacheLimits {
  /** Answers kept at most; the one not asked for longest goes first. */
  maxEntries: number;
  /** Seconds an answer is kept at most, whatever its TTL. */
  maxTtl: number;
  /** Seconds a failure is kept: long enough for a burst of the same question, short enough not to be noticed. */
  failureTtl: number;
}

const defaultLimits: CacheLimits = { maxEntries: 20_000, maxTtl: 24 * 3600, failureTtl: 5 };

/** An answer of whatever type; the key it is stored under says which. */
type AnyAnswer = Answer<RecordTypes[RecordType]>;

interface Entry {
  answer: AnyAnswer;
  expiresMs: number;
}

/** A question on its way upstream. */
interface Pending {
  answer: Promise<AnyAnswer>;
  /** How many wait for the answer. */
  waiting: number;
  /** Takes the question off the list, so that the next to ask it begins anew. */
  forget: () => void;
  upstream: AbortController;
}

/**
 * Puts a cache before `upstream`. Answers from the cache carry what is left of their TTL. Who aborts leaves alone: the
 * question goes on for the others and is dropped with the last.
 */
export function cachedResolver(
  upstream: Resolver,
  clock: Clock,
  limits: Partial<CacheLimits> = {},
): Resolver {
  const store = answerStore(clock, { ...defaultLimits, ...limits });
  const pending = new Map<string, Pending>();

  function askUpstream(key: string, name: string, type: RecordType): Pending {
    const abort = new AbortController();
    const answer = upstream.resolve(name, type, abort.signal);
    const forget = () => {
      if (pending.get(key) === question) pending.delete(key);
    };
    const question: Pending = { answer, waiting: 0, forget, upstream: abort };
    pending.set(key, question);
    // A rejection reaches those who wait on `answer` itself.
    answer.then((found) => {
      forget();
      store.put(key, found);
    }, forget);
    return question;
  }

  async function ask(name: string, type: RecordType, signal?: AbortSignal): Promise<AnyAnswer> {
    signal?.throwIfAborted();
    const canonical = canonicalName(name);
    const key = `${type} ${canonical}`;
    return store.find(key) ?? waitFor(pending.get(key) ?? askUpstream(key, canonical, type), signal);
  }

  return {
    resolve<T extends RecordType>(name: string, type: T, signal?: AbortSignal) {
      // The key holds the type, so what comes out under it is what T says.
      return ask(name, type, signal) as Promise<Answer<RecordTypes[T]>>;
    },
  };
}

/** Waits until the answer is there or `signal` is aborted; the last to leave drops the question. */
function waitFor(question: Pending, signal?: AbortSignal): Promise<AnyAnswer> {
  question.waiting += 1;
  if (signal === undefined) return question.answer;
  return new Promise((resolve, reject) => {
    const leave = () => {
      reject(signal.reason);
      question.waiting -= 1;
      if (question.waiting > 0) return;
      question.forget();
      question.upstream.abort(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    question.answer.finally(() => signal.removeEventListener('abort', leave)).then(resolve, reject);
  });
}

/** The entries, the least recently used first: a Map keeps the order of insertion. */
function answerStore(clock: Clock, limits: CacheLimits) {
  const entries = new Map<string, Entry>();
  return {
    find(key: string): AnyAnswer | undefined {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      const leftMs = entry.expiresMs - clock.now();
      if (leftMs <= 0) return undefined;
      entries.set(key, entry);
      const { answer } = entry;
      return answer.status === 'failed' ? answer : { ...answer, ttl: Math.ceil(leftMs / 1000) };
    },
    put(key: string, answer: AnyAnswer): void {
      const ttl = answer.status === 'failed' ? limits.failureTtl : Math.min(answer.ttl, limits.maxTtl);
      if (ttl <= 0) return;
      entries.delete(key);
      entries.set(key, { answer, expiresMs: clock.now() + ttl * 1000 });
      const [oldest] = entries.size > limits.maxEntries ? entries.keys() : [];
      if (oldest !== undefined) entries.delete(oldest);
    },
  };
}
