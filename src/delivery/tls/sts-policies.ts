/**
 * The MTA-STS policies of the domains that we send to (RFC 8461): found, fetched, kept in memory and in the store, and
 * fetched anew when their id changes and every day. A policy that was once had stays in force until it is too old,
 * whatever happens to DNS or to the web server in between: to suppress it is what an attacker would try (§10.2).
 */

import type { Resolver } from '../../dns/resolver.ts';
import { readPolicyId } from '../../mta-sts/record.ts';
import { type FetchedPolicy, fetchPolicy, type PolicyFailure } from '../../net/fetch-policy.ts';
import type { Https } from '../../net/https.ts';
import type { Memo } from '../../store/memo-store.ts';
import type { OnTlsResult } from '../../tls-rpt/result.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { turnstile } from '../../util/turnstile.ts';
import { defaultStsLimits, type StsLimits } from './sts-limits.ts';
import { readStsMemo, type StsPolicyInForce, stsMemo, stsMemoKind } from './sts-memo.ts';

export interface StsFinding {
  /** Of mode `enforce` or `testing`. */
  policy?: StsPolicyInForce;
  /** None could be had, and there may be one: DNS does not say, or one is announced. */
  isUnknown?: true;
  /** What was found, in words; absent where the domain announces no policy and never had one. */
  note?: string;
}

/** What a policy outlives a restart by. */
export interface MemoStore {
  writeMemos(memos: Memo[]): Promise<void>;
  listMemos(kind: string): Promise<Memo[]>;
  findMemo(kind: string, key: string): Promise<Memo | undefined>;
}

export interface StsParts {
  resolver: Resolver;
  https: Https;
  clock: Clock;
  log: Log;
  /** Absent: policies are kept in memory only. */
  store?: MemoStore | undefined;
  onTlsResult?: OnTlsResult | undefined;
  /** Of the HTTPS servers. Default: 443. */
  port?: number;
  limits?: Partial<StsLimits>;
}

interface Entry {
  readonly domain: string;
  kept?: StsPolicyInForce;
  /** No fetch before that moment. */
  nextFetchAt: number;
  /** Of the last fetch, if it failed. */
  problem?: string;
  fetching?: Promise<void>;
}

export class StsPolicies {
  readonly #parts: StsParts;
  readonly #limits: StsLimits;
  readonly #turns: ReturnType<typeof turnstile>;
  /** By domain, the one sent to last at the end. */
  readonly #entries = new Map<string, Entry>();
  /** Domains that announce nothing and of which nothing is kept, and until when that is believed. */
  readonly #absent = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #cancelSweep: (() => void) | undefined;
  /** Some had no room: what is not in memory may be in the store. */
  #isFull = false;

  constructor(parts: StsParts) {
    this.#parts = parts;
    this.#limits = { ...defaultStsLimits, ...parts.limits };
    this.#turns = turnstile(this.#limits.fetches, this.#limits.waitingFetches);
  }

  /** Takes up what an earlier run has kept, and begins to keep it fresh. */
  async start(): Promise<void> {
    for (const memo of (await this.#parts.store?.listMemos(stsMemoKind)) ?? []) {
      const kept = readStsMemo(memo);
      if (kept !== undefined) this.#entryOf(kept.domain).kept = kept;
    }
    this.#sweepLater();
  }

  async close(): Promise<void> {
    this.#cancelSweep?.();
    this.#stop.abort(new Error('we are stopping'));
    await Promise.all(this.#running);
  }

  /** It was found out a moment ago that the domain has no policy: there is nothing to wait for. */
  isKnownAbsent(domain: string): boolean {
    const until = this.#absent.get(domain);
    return until !== undefined && until > this.#parts.clock.now();
  }

  /**
   * The policy in force for a domain in A-labels. Waits for a fetch where there is none yet, or where DNS announces
   * another. Rejects only when the signal is aborted.
   */
  async find(domain: string, signal?: AbortSignal): Promise<StsFinding> {
    if (this.#isFull && !this.#entries.has(domain)) await this.#recall(domain);
    const { id, isUnknown } = await this.#announcedId(domain, signal);
    const none = isUnknown ? ({ isUnknown } as const) : {};
    if (id === undefined && !this.#entries.has(domain)) return none;
    const entry = this.#entryOf(domain);
    const { kept } = entry;
    if (id !== undefined && (id !== kept?.id || this.#isTooOld(kept)))
      await orAborted(this.#fetch(entry, id), signal);
    else this.#refreshIfOld(entry);
    return this.#findingOf(entry, id) ?? none;
  }

  async #recall(domain: string): Promise<void> {
    const memo = await this.#parts.store?.findMemo(stsMemoKind, domain);
    const kept = memo && readStsMemo(memo);
    if (kept !== undefined) this.#entryOf(domain).kept = kept;
  }

  /** None also where DNS does not say. */
  async #announcedId(domain: string, signal?: AbortSignal): Promise<{ id?: string; isUnknown?: true }> {
    const answer = await this.#parts.resolver.resolve(`_mta-sts.${domain}`, 'TXT', signal);
    const texts = answer.status === 'found' ? answer.records.map((strings) => strings.join('')) : [];
    const id = readPolicyId(texts);
    this.#absent.delete(domain);
    if (id === undefined && !this.#entries.has(domain)) {
      const { absenceMs, silenceMs } = this.#limits;
      const absentMs = answer.status === 'failed' ? silenceMs : Math.min(answer.ttl * 1000, absenceMs);
      this.#absent.set(domain, this.#parts.clock.now() + absentMs);
      dropOldest(this.#absent, this.#limits.absences);
    }
    if (id !== undefined) return { id };
    return answer.status === 'failed' ? { isUnknown: true } : {};
  }

  #findingOf({ domain, kept, problem }: Entry, id: string | undefined): StsFinding | undefined {
    const trouble = problem === undefined ? '' : `; the last fetch failed: ${problem}`;
    if (kept === undefined || this.#isTooOld(kept)) {
      if (id === undefined) return undefined;
      const note = `MTA-STS of ${domain}: announced (id ${id}), but no policy can be had${trouble}`;
      return { isUnknown: true, note };
    }
    const since = `fetched ${new Date(kept.fetchedAt).toISOString()}`;
    const note = `MTA-STS of ${domain}: ${kept.mode}, policy ${kept.id}, ${since}${trouble}`;
    return kept.mode === 'none' ? { note } : { policy: kept, note };
  }

  #isTooOld({ fetchedAt, maxAge }: StsPolicyInForce): boolean {
    return this.#parts.clock.now() - fetchedAt >= maxAge * 1000;
  }

  /** In the background, and in any case before it is too old: what is kept is good until then. */
  #refreshIfOld(entry: Entry): void {
    const { kept } = entry;
    if (kept === undefined) return;
    const ageMs = this.#parts.clock.now() - kept.fetchedAt;
    // Fetched in the future: our clock was ahead, and nobody knows how old it is.
    if (ageMs < 0 || ageMs >= Math.min(this.#limits.refreshMs, kept.maxAge * 500))
      void this.#fetch(entry, kept.id);
  }

  /** One at a time for each domain, and none for a while after one that failed. Never rejects. */
  #fetch(entry: Entry, id: string): Promise<void> {
    if (entry.fetching !== undefined) return entry.fetching;
    if (this.#parts.clock.now() < entry.nextFetchAt) return Promise.resolve();
    const fetching = this.#fetchNow(entry, id)
      .catch((error) => {
        const { domain } = entry;
        if (!this.#stop.signal.aborted)
          this.#parts.log.error({ err: error, domain }, 'internal error while fetching an MTA-STS policy');
      })
      .finally(() => {
        delete entry.fetching;
        this.#running.delete(fetching);
      });
    entry.fetching = fetching;
    this.#running.add(fetching);
    return fetching;
  }

  async #fetchNow(entry: Entry, id: string): Promise<void> {
    const { clock } = this.#parts;
    const { domain } = entry;
    const got = await this.#inTurn(domain);
    if ('problem' in got) {
      entry.problem = got.problem;
      entry.nextFetchAt = clock.now() + this.#limits.backOffMs;
      if ('type' in got) this.#tell(domain, got);
      return;
    }
    entry.kept = { ...got.policy, domain, id, fetchedAt: clock.now() };
    entry.nextFetchAt = 0;
    delete entry.problem;
    await this.#write(entry.kept);
  }

  /** That no turn came is our affair, and no report's. */
  async #inTurn(domain: string): Promise<FetchedPolicy | PolicyFailure | { problem: string }> {
    if (!(await this.#hasTurn())) return { problem: 'too many policies are being fetched' };
    const { https, port = 443 } = this.#parts;
    try {
      return await fetchPolicy(https, domain, { port, signal: this.#stop.signal });
    } finally {
      this.#turns.leave();
    }
  }

  async #hasTurn(): Promise<boolean> {
    const late = new AbortController();
    const cancel = this.#parts.clock.after(this.#limits.turnMs, () => late.abort());
    try {
      return await this.#turns.enter(AbortSignal.any([this.#stop.signal, late.signal]));
    } catch (error) {
      if (late.signal.aborted) return false;
      throw error;
    } finally {
      cancel();
    }
  }

  /** What cannot be written is in force all the same, and fetched again after the next start. */
  async #write(kept: StsPolicyInForce): Promise<void> {
    const { store, log } = this.#parts;
    try {
      await store?.writeMemos([stsMemo(kept)]);
    } catch (error) {
      log.warn({ err: error, domain: kept.domain }, 'cannot keep an MTA-STS policy beyond this run');
    }
  }

  #tell(domain: string, { type, problem }: PolicyFailure): void {
    const policy = { type: 'sts', domain, strings: [], mxHosts: [] } as const;
    const at = this.#parts.clock.now();
    this.#parts.onTlsResult?.({ at, domain, policy, failure: { type, reason: problem } });
  }

  #entryOf(domain: string): Entry {
    const entry = this.#entries.get(domain) ?? { domain, nextFetchAt: 0 };
    this.#entries.delete(domain);
    this.#entries.set(domain, entry);
    this.#isFull ||= this.#entries.size > this.#limits.policies;
    dropOldest(this.#entries, this.#limits.policies);
    return entry;
  }

  /** RFC 8461 §10.2: also for domains that nobody writes to today. */
  #sweep(): void {
    for (const [domain, entry] of this.#entries) {
      if (entry.kept === undefined || this.#isTooOld(entry.kept)) this.#entries.delete(domain);
      else this.#refreshIfOld(entry);
    }
    this.#sweepLater();
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#parts.clock.after(this.#limits.sweepMs, () => this.#sweep());
  }
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  const [oldest] = map.size > most ? map.keys() : [];
  if (oldest !== undefined) map.delete(oldest);
}

/** The promise goes on for others. */
async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
