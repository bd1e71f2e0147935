/**
 * One day's report on its way to those who asked for it (RFC 8460 §3, §5; RFC 9990 §3.5): it is found out who that is, then each
 * address gets the report. Before something is sent, and after, it is written down: what a crash interrupts is not sent
 * twice. Failures are tried again for a day, and reported to nobody.
 */

import type { DossierEvent } from '../dossier/event.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Carrier } from './carriers.ts';
import {
  type DayKind,
  type DomainDay,
  keyOf,
  memoOf,
  type ReportToSend,
  retryForMs,
  type Sending,
  type Target,
} from './domain-day.ts';

export interface SendingParts {
  store: Pick<Store, 'writeMemos' | 'removeMemos'>;
  clock: Clock;
  log: Log;
  nextQueueId(): string;
  carriers: { mailto: Carrier; https: Carrier };
}

/** Doubled each time. */
export const firstRetryMs = 15 * 60_000;

/** Does what can be done now. Resolves to when to go on, or undefined where it is over; rejects if the store does. */
export async function sendReport<Tally>(
  parts: SendingParts,
  kind: DayKind<Tally>,
  found: DomainDay<Tally>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const now = parts.clock.now();
  const before = found.sending ?? { startedAt: now, attempts: 0, nextAt: now };
  const targets =
    before.targets ??
    (await kind.findTargets(found, signal))?.map(
      (target): Target => ({ ...target, queueId: parts.nextQueueId(), state: 'waiting' }),
    );
  const sending: Sending = { ...before, ...(targets && { targets }) };
  const report = new Report(parts, kind, { ...found, sending });
  if (targets !== undefined) await report.sendAll(targets, signal);
  return report.finish();
}

type Day<Tally> = DomainDay<Tally> & { sending: Sending };

class Report<Tally> {
  readonly #parts: SendingParts;
  readonly #kind: DayKind<Tally>;
  readonly #day: Day<Tally>;

  constructor(parts: SendingParts, kind: DayKind<Tally>, day: Day<Tally>) {
    this.#parts = parts;
    this.#kind = kind;
    this.#day = day;
  }

  async sendAll(targets: readonly Target[], signal: AbortSignal): Promise<void> {
    const [first] = targets;
    if (first === undefined) return;
    const report = await this.#kind.compose(this.#day, first.queueId);
    for (const target of targets) if (target.state !== 'over') await this.#send(target, report, signal);
  }

  async #send(target: Target, report: ReportToSend, signal: AbortSignal): Promise<void> {
    const { mailto, https } = this.#parts.carriers;
    const carrier = /^mailto:/i.test(target.uri) ? mailto : https;
    if (target.state === 'begun') {
      const before = await carrier.findOut(target);
      if (before !== 'not sent')
        return this.#settle(target, before === 'sent' ? {} : { problem: before.problem });
    }
    target.state = 'begun';
    await this.#write();
    const result = await carrier.send(target, report, signal);
    if ('retry' in result && !this.#isLate()) {
      this.#parts.log.info(
        { ...this.#facts(target), problem: result.problem },
        `${this.#kind.name} not sent yet`,
      );
      target.state = 'waiting';
      return;
    }
    await this.#settle(target, result);
  }

  /** Tells what became of it, in the log and in the dossier that has its queue id. */
  async #settle(target: Target, { problem }: { problem?: string }): Promise<void> {
    target.state = 'over';
    const given = problem !== undefined && { problem };
    const at = this.#parts.clock.now();
    await this.#write([this.#kind.eventOf(this.#day, target, { at, ...given })]);
    const facts = { ...this.#facts(target), ...given };
    if (problem === undefined) this.#parts.log.info(facts, `${this.#kind.name} sent`);
    else this.#parts.log.warn(facts, `${this.#kind.name} given up`);
  }

  /** Plans what is still to be done, or forgets the day. */
  async finish(): Promise<number | undefined> {
    const { sending } = this.#day;
    const isOver = sending.targets?.every(({ state }) => state === 'over') ?? this.#isLate();
    if (isOver) {
      await this.#parts.store.removeMemos(this.#kind.memoKind, [keyOf(this.#day)]);
      return undefined;
    }
    sending.nextAt = this.#parts.clock.now() + firstRetryMs * 2 ** sending.attempts;
    sending.attempts += 1;
    await this.#write();
    return sending.nextAt;
  }

  /** The next attempt would come when the time is over. */
  #isLate(): boolean {
    const { startedAt, attempts } = this.#day.sending;
    return this.#parts.clock.now() + firstRetryMs * 2 ** attempts > startedAt + retryForMs;
  }

  async #write(events: DossierEvent[] = []): Promise<void> {
    await this.#parts.store.writeMemos([memoOf(this.#kind.memoKind, this.#day)], events);
  }

  #facts({ uri, queueId }: Target) {
    const { domain, day, tally } = this.#day;
    return { queueId, uri, domain, day, ...this.#kind.factsOf(tally) };
  }
}
