/**
 * The source-address guard: looks at every address of ours at the start and daily, hourly while something is wrong, remembers
 * what it finds over a restart, and says what is to be thought of each. Whoever sends asks for that (route/sources.ts).
 */

import { networkInterfaces } from 'node:os';
import type { Config } from '../../config/config.ts';
import type { Resolver } from '../../dns/resolver.ts';
import { addressClass, canonicalAddress, findFamily } from '../../net/addresses.ts';
import { canBind } from '../../net/bind.ts';
import type { Memo } from '../../store/memo-store.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import type { Family, Standing, Standings } from '../route/sources.ts';
import { failureSpacingMs, type History, historyAfter, isUnsettled, standingOf } from './history.ts';
import { probeAll, type Subject } from './probes.ts';

export interface GuardParts {
  config: Pick<Config, 'hostname' | 'sources' | 'domains' | 'guard'>;
  resolver: Resolver;
  clock: Clock;
  log: Log;
  /** Where findings are kept; without it they are forgotten with the guard. */
  store?: Pick<Store, 'listMemos' | 'writeMemos'>;
  /** All addresses of the machine. */
  machine?: () => readonly string[];
  tryAddress?: (address: string) => Promise<void>;
}

/** What was found of one address, and what follows. */
export interface SourceReport extends History {
  address: string;
  publicAddress: string;
  ehloName: string;
  standing: Standing;
}

const dayMs = 24 * 3600_000;
/** For one look at all addresses. */
const checkMs = 120_000;
/** Findings about an address that is used no more are kept so long. */
const memoLifeMs = 30 * dayMs;
/** Addresses of the machine that are looked at, where none is configured. */
export const maxAddresses = 32;

const memoKind = 'guard';
const unknown: Standing = { isFit: true, rank: 0 };
/** Before the first look: receivers ask more of IPv6 than of IPv4. */
const unseen = (address: string): Standing =>
  findFamily(address) === 6
    ? { isFit: true, rank: 1, reason: `${address} has not been looked at yet` }
    : unknown;

export class Guard implements Standings {
  readonly #parts: GuardParts;
  readonly #histories = new Map<string, History>();
  readonly #standings = new Map<string, Standing>();
  #system: readonly string[] = [];
  #spotless = true;
  #stop = new AbortController();
  #cancel: (() => void) | undefined;
  #looking: Promise<SourceReport[]> | undefined;

  constructor(parts: GuardParts) {
    this.#parts = parts;
  }

  get spotless(): boolean {
    return this.#spotless;
  }

  of(address: string): Standing {
    return this.#standings.get(address) ?? unknown;
  }

  ofSystem(family: Family): readonly string[] {
    return this.#system.filter((address) => findFamily(address) === family);
  }

  /** What was found before the restart counts at once; then looks, and looks again from time to time. */
  async start(): Promise<void> {
    const memos = (await this.#parts.store?.listMemos(memoKind)) ?? [];
    const current = new Set(this.#subjects().map(({ address }) => address));
    // Written by this class, below.
    for (const { key, value } of memos) if (current.has(key)) this.#histories.set(key, value as History);
    this.#judge();
    this.#lookRegularly();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#cancel?.();
    await this.#looking?.catch(() => undefined); // told by whoever asked
  }

  /** Looks now. Who asks meanwhile gets the same. */
  look(): Promise<SourceReport[]> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  #lookRegularly(): void {
    const { clock, log } = this.#parts;
    this.look()
      .catch((error: unknown) => log.error({ err: error }, 'our own addresses could not be looked at'))
      .finally(() => {
        if (this.#stop.signal.aborted) return;
        const isCalm = [...this.#histories.values()].every((history) => !isUnsettled(history));
        this.#cancel = clock.after(isCalm ? dayMs : failureSpacingMs, () => this.#lookRegularly());
      });
  }

  async #look(): Promise<SourceReport[]> {
    const { resolver, clock, config, tryAddress = canBind } = this.#parts;
    const at = clock.now();
    const subjects = this.#subjects();
    const { signal, done } = limited(clock, checkMs, this.#stop.signal);
    const parts = { resolver, blocklists: config.guard.blocklists, tryAddress, signal };
    const found = await probeAll(parts, subjects).finally(done);
    if (this.#stop.signal.aborted) return [];
    const before = new Map(this.#standings);
    for (const [index, { address }] of subjects.entries())
      this.#histories.set(address, historyAfter(this.#histories.get(address), found[index] ?? [], at));
    this.#judge();
    this.#tell(before);
    await this.#parts.store?.writeMemos(this.#memos(subjects, at));
    return subjects.map((subject) => this.#report(subject));
  }

  #report({ address, publicAddress, ehloName }: Subject): SourceReport {
    const history = this.#histories.get(address) ?? { checkedAt: 0, findings: [] };
    return { address, publicAddress, ehloName, ...history, standing: this.of(address) };
  }

  #memos(subjects: readonly Subject[], at: number): Memo[] {
    return subjects.flatMap(({ address }) => {
      const value = this.#histories.get(address);
      return value === undefined ? [] : { kind: memoKind, key: address, value, expiresAt: at + memoLifeMs };
    });
  }

  #judge(): void {
    const subjects = this.#subjects();
    this.#system = this.#parts.config.sources.length > 0 ? [] : subjects.map(({ address }) => address);
    this.#standings.clear();
    for (const { address } of subjects) {
      const history = this.#histories.get(address);
      this.#standings.set(address, history === undefined ? unseen(address) : standingOf(history));
    }
    this.#spotless = [...this.#standings.values()].every(({ isFit, rank }) => isFit && rank === 0);
  }

  /** Only what has changed. */
  #tell(before: ReadonlyMap<string, Standing>): void {
    const { log } = this.#parts;
    for (const [address, { isFit, reason }] of this.#standings) {
      const was = before.get(address) ?? unknown;
      if (was.isFit && !isFit)
        log.warn({ address, reason }, 'nothing is sent from this address while another qualifies');
      else if (!was.isFit && isFit) log.info({ address }, 'this address qualifies again');
      else if (isFit && reason !== undefined && was.reason !== reason)
        log.warn({ address, reason }, 'something is wrong with this address: posthorn doctor tells more');
    }
  }

  #subjects(): Subject[] {
    return subjectsOf(this.#parts.config, (this.#parts.machine ?? machineAddresses)());
  }
}

/** The configured sources, or else the machine's public addresses. */
export function subjectsOf(
  { hostname, sources, domains }: GuardParts['config'],
  machine: readonly string[],
): Subject[] {
  const names = domains.map(({ name }) => name);
  if (sources.length === 0) {
    const own = [...new Set(machine.map(canonicalAddress))].filter((each) => addressClass(each) === 'public');
    return own
      .slice(0, maxAddresses)
      .map((address) => ({ address, publicAddress: address, ehloName: hostname, domains: names }));
  }
  return sources.map(({ address, publicAddress = address, ehloName = hostname, senders }) => ({
    address,
    publicAddress,
    ehloName,
    domains: names.filter((name) =>
      senders.length > 0
        ? senders.some((sender) => domainOf(sender) === name)
        : !sources.some((source) => source.senders.includes(name)),
    ),
  }));
}

const domainOf = (sender: string): string => sender.slice(sender.lastIndexOf('@') + 1);

/** Public addresses may be on the loopback interface, too, where a router sends them. */
const machineAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));

function limited(clock: Clock, durationMs: number, stop: AbortSignal) {
  const timeout = new AbortController();
  const done = clock.after(durationMs, () => timeout.abort());
  return { signal: AbortSignal.any([timeout.signal, stop]), done };
}
