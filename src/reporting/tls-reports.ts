/**
 * TLS reporting as the server runs it (RFC 8460): takes the results, writes the counts down, and some hours after the
 * end of each UTC day sends what there is to tell. Driven by the clock; a restart goes on where the last run was.
 */

import { createHash } from 'node:crypto';
import type { Store } from '../store/store.ts';
import type { OnTlsResult } from '../tls-rpt/result.ts';
import { type DomainDay, dayOf, endOf, keyOf, memoKind } from './domain-day.ts';
import { type SendingParts, sendReport } from './tls-sending.ts';
import { type TalliesParts, TlsTallies } from './tls-tallies.ts';

export interface TlsReportsParts extends Omit<SendingParts, 'store'>, Omit<TalliesParts, 'store'> {
  store: SendingParts['store'] & TalliesParts['store'] & Pick<Store, 'findMemo'>;
}

export interface TlsReports {
  readonly onResult: OnTlsResult;
  /** Writes the counts; what is being sent is broken off. */
  stop(): Promise<void>;
}

const minuteMs = 60_000;
/** Between two looks at the clock, at each of which the counts are written. */
export const tickMs = 5 * minuteMs;
/** After the start: what was due while nobody was there waits no longer. */
export const firstTickMs = 15_000;
/** RFC 8460 §4.1: some time after the day, and not all reporters of the world at once. */
export const earliestMs = 30 * minuteMs;
export const spreadMs = 4 * 60 * minuteMs;
/** Domains that are reported on at once. */
const reportsAtOnce = 10;

export async function startTlsReports(parts: TlsReportsParts): Promise<TlsReports> {
  const reports = new Reporting(parts);
  await reports.start();
  return reports;
}

class Reporting implements TlsReports {
  readonly onResult: OnTlsResult;
  readonly #parts: TlsReportsParts;
  readonly #tallies: TlsTallies;
  /** Days that are over, by their memos' keys, and when to go on with each. */
  readonly #pending = new Map<string, number>();
  readonly #stop = new AbortController();
  #cancel = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(parts: TlsReportsParts) {
    this.#parts = parts;
    this.#tallies = new TlsTallies(parts);
    this.onResult = this.#tallies.note;
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
      .catch((error) => this.#parts.log.error({ err: error }, 'the last counts for TLS reports are lost'));
  }

  #tick(): void {
    this.#running = this.#work()
      .catch((error) => {
        if (!this.#stop.signal.aborted) this.#parts.log.error({ err: error }, 'cannot report on TLS now');
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
      const memo = await store.findMemo(memoKind, key);
      const nextAt = memo && (await sendReport(this.#parts, dayOf(memo), signal));
      if (nextAt === undefined) this.#pending.delete(key);
      else this.#pending.set(key, nextAt);
    } catch (error) {
      if (!signal.aborted) log.error({ err: error, key }, 'cannot send a TLS report now');
    }
  }

  #plan(days: readonly DomainDay[]): void {
    for (const each of days) this.#pending.set(keyOf(each), each.sending?.nextAt ?? firstAttempt(each));
  }
}

/** The same at each start, and another for each domain. */
function firstAttempt(each: DomainDay): number {
  const lot = createHash('sha256').update(keyOf(each)).digest().readUInt32BE() / 2 ** 32;
  return endOf(each.day) + earliestMs + Math.floor(lot * spreadMs);
}
