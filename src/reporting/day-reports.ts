/**
 * Reports on a day as the server sends them: takes what is to be counted, writes the counts down, and some hours after the end
 * of each UTC day sends what there is to tell. Driven by the clock; a restart goes on where the last run was. RFC 8460 §4.1;
 * RFC 9990 §3.
 */

import { createHash } from 'node:crypto';
import type { Store } from '../store/store.ts';
import { type DayKind, type DomainDay, dayOf, endOf, keyOf } from './domain-day.ts';
import { type SendingParts, sendReport } from './sending.ts';
import { type Counting, Tallies, type TalliesParts } from './tallies.ts';

export interface DayReportsParts extends Omit<SendingParts, 'store'>, Omit<TalliesParts, 'store'> {
  store: SendingParts['store'] & TalliesParts['store'] & Pick<Store, 'findMemo'>;
}

export interface DayReports<Tally> {
  /** Counts something of a domain, today. Neither throws nor waits. */
  count(domain: string, counting: Counting<Tally>): void;
  /** Writes the counts; what is being sent is broken off. */
  stop(): Promise<void>;
}

const minuteMs = 60_000;
/** Between two looks at the clock, at each of which the counts are written. */
export const tickMs = 5 * minuteMs;
/** After the start: what was due while nobody was there waits no longer. */
export const firstTickMs = 15_000;
/** Some time after the day, and not all reporters of the world at once (RFC 8460 §4.1). */
export const earliestMs = 30 * minuteMs;
export const spreadMs = 4 * 60 * minuteMs;
/** Domains that are reported on at once. */
const reportsAtOnce = 10;

/** `tallies` outlive a reload: what is counted is theirs, whoever reports it. Default: none are there yet. */
export async function startDayReports<Tally>(
  parts: DayReportsParts,
  kind: DayKind<Tally>,
  tallies = new Tallies<Tally>(parts, kind),
): Promise<DayReports<Tally>> {
  const reports = new Reporting(parts, kind, tallies);
  await reports.start();
  return reports;
}

class Reporting<Tally> implements DayReports<Tally> {
  readonly #parts: DayReportsParts;
  readonly #kind: DayKind<Tally>;
  readonly #tallies: Tallies<Tally>;
  /** Days that are over, by their memos' keys, and when to go on with each. */
  readonly #pending = new Map<string, number>();
  readonly #stop = new AbortController();
  #cancel = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(parts: DayReportsParts, kind: DayKind<Tally>, tallies: Tallies<Tally>) {
    this.#parts = parts;
    this.#kind = kind;
    this.#tallies = tallies;
  }

  count(domain: string, counting: Counting<Tally>): void {
    this.#tallies.count(domain, counting);
  }

  async start(): Promise<void> {
    this.#plan(await this.#tallies.load());
    this.#cancel = this.#parts.clock.after(firstTickMs, () => this.#tick());
  }

  async stop(): Promise<void> {
    this.#cancel();
    this.#stop.abort(new Error('the server stops'));
    await this.#running;
    await this.#tallies
      .flush()
      .catch((error) =>
        this.#parts.log.error({ err: error }, `the last counts for ${this.#kind.names} are lost`),
      );
  }

  #tick(): void {
    this.#running = this.#work()
      .catch((error) => {
        if (!this.#stop.signal.aborted)
          this.#parts.log.error({ err: error }, `cannot send ${this.#kind.names} now`);
      })
      .finally(() => {
        if (!this.#stop.signal.aborted) this.#cancel = this.#parts.clock.after(tickMs, () => this.#tick());
      });
  }

  async #work(): Promise<void> {
    this.#plan(await this.#tallies.flush());
    const now = this.#parts.clock.now();
    const due = [...this.#pending].flatMap(([key, at]) => (at <= now ? [key] : []));
    const next = due.values();
    const lane = async () => {
      for (const key of next) await this.#report(key);
    };
    await Promise.all(Array.from({ length: reportsAtOnce }, lane));
  }

  /** Where one goes wrong, the others go on; it comes again at the next tick. */
  async #report(key: string): Promise<void> {
    const { store, log } = this.#parts;
    const { signal } = this.#stop;
    if (signal.aborted) return;
    try {
      const memo = await store.findMemo(this.#kind.memoKind, key);
      const nextAt = memo && (await sendReport(this.#parts, this.#kind, dayOf<Tally>(memo), signal));
      if (nextAt === undefined) this.#pending.delete(key);
      else this.#pending.set(key, nextAt);
    } catch (error) {
      if (!signal.aborted) log.error({ err: error, key }, `cannot send a ${this.#kind.name} now`);
    }
  }

  #plan(days: readonly DomainDay<Tally>[]): void {
    for (const each of days) this.#pending.set(keyOf(each), each.sending?.nextAt ?? firstAttempt(each));
  }
}

/** The same at each start, and another for each domain. */
function firstAttempt(each: DomainDay<unknown>): number {
  const lot = createHash('sha256').update(keyOf(each)).digest().readUInt32BE() / 2 ** 32;
  return endOf(each.day) + earliestMs + Math.floor(lot * spreadMs);
}
