/**
 * One day's TLS report on its way to those who asked for it (RFC 8460 §3, §5): the record is looked up, then each address
 * in it gets the report, by mail or by HTTPS. Before something is sent, and after, it is written down: what a crash
 * interrupts is not sent twice. Failures are tried again for a day, and reported to nobody.
 */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Resolver } from '../dns/resolver.ts';
import type { DossierEvent } from '../dossier/event.ts';
import type { Store } from '../store/store.ts';
import { readReportUris } from '../tls-rpt/record.ts';
import { tlsReport } from '../tls-rpt/report.ts';
import { sumOf } from '../tls-rpt/tally.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { type DomainDay, keyOf, memoKind, memoOf, type Sending, type Target } from './domain-day.ts';
import type { Carrier, ReportToSend } from './tls-carriers.ts';

export interface SendingParts {
  store: Pick<Store, 'writeMemos' | 'removeMemos'>;
  resolver: Resolver;
  clock: Clock;
  log: Log;
  organization: string;
  contact: string;
  nextQueueId(): string;
  carriers: { mailto: Carrier; https: Carrier };
}

/** RFC 8460 §5.5: for a day from the first attempt on. */
export const retryForMs = 24 * 3600_000;
/** Doubled each time. */
export const firstRetryMs = 15 * 60_000;

const compress = promisify(gzip);

/** Does what can be done now. Resolves to when to go on, or undefined where it is over; rejects if the store does. */
export async function sendReport(
  parts: SendingParts,
  found: DomainDay,
  signal: AbortSignal,
): Promise<number | undefined> {
  const now = parts.clock.now();
  const before = found.sending ?? { startedAt: now, attempts: 0, nextAt: now };
  const targets = before.targets ?? (await findTargets(parts, found.domain, signal));
  const sending: Sending = { ...before, ...(targets && { targets }) };
  const report = new Report(parts, { ...found, sending });
  if (targets !== undefined) await report.sendAll(targets, signal);
  return report.finish();
}

/** Undefined where DNS does not say. */
async function findTargets(
  { resolver, nextQueueId }: SendingParts,
  domain: string,
  signal: AbortSignal,
): Promise<Target[] | undefined> {
  const answer = await resolver.resolve(`_smtp._tls.${domain}`, 'TXT', signal);
  if (answer.status === 'failed') return undefined;
  const texts = answer.status === 'found' ? answer.records.map((strings) => strings.join('')) : [];
  return readReportUris(texts).map((uri) => ({ uri, queueId: nextQueueId(), state: 'waiting' }));
}

class Report {
  readonly #parts: SendingParts;
  readonly #day: DomainDay & { sending: Sending };

  constructor(parts: SendingParts, day: DomainDay & { sending: Sending }) {
    this.#parts = parts;
    this.#day = day;
  }

  async sendAll(targets: readonly Target[], signal: AbortSignal): Promise<void> {
    const [first] = targets;
    if (first === undefined) return;
    const report = await this.#compose(first.queueId);
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
      this.#parts.log.info({ ...this.#facts(target), problem: result.problem }, 'TLS report not sent yet');
      target.state = 'waiting';
      return;
    }
    await this.#settle(target, result);
  }

  /** Tells what became of it, in the log and in the dossier that has its queue id. */
  async #settle(target: Target, { problem }: { problem?: string }): Promise<void> {
    target.state = 'over';
    const facts = { ...this.#facts(target), ...(problem !== undefined && { problem }) };
    const { queueId, ...data } = facts;
    const at = this.#parts.clock.now();
    const event: DossierEvent = { at, queueId, event: 'tlsReported', data };
    await this.#write([event]);
    if (problem === undefined) this.#parts.log.info(facts, 'TLS report sent');
    else this.#parts.log.warn(facts, 'TLS report given up');
  }

  /** Plans what is still to be done, or forgets the day. */
  async finish(): Promise<number | undefined> {
    const { sending } = this.#day;
    const isOver = sending.targets?.every(({ state }) => state === 'over') ?? this.#isLate();
    if (isOver) {
      await this.#parts.store.removeMemos(memoKind, [keyOf(this.#day)]);
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
    await this.#parts.store.writeMemos([memoOf(this.#day)], events);
  }

  #facts({ uri, queueId }: Target) {
    const { domain, day, tally } = this.#day;
    return { queueId, uri, domain, day, ...sumOf(tally) };
  }

  async #compose(reportId: string): Promise<ReportToSend> {
    const { organization, contact } = this.#parts;
    const { domain, day, tally } = this.#day;
    const json = JSON.stringify(tlsReport({ organization, contact, reportId, day, tally }));
    return { domain, day, reportId, sessions: sumOf(tally), gzip: await compress(json) };
  }
}
