/**
 * Takes in the reports that others send us. At the door a mail that is meant to be one is put aside, durably and before it is
 * acknowledged; it is delivered like any other. Behind the door the mails are read one after the other, on a thread of their
 * own, and what they say is kept. A crash loses none: what was put aside is read by the next run.
 */

import type { AbuseReport } from '../../arf/read.ts';
import { provenAuthor } from '../../authentication/proven-author.ts';
import type { Verdicts } from '../../authentication/verdicts.ts';
import { authorDomain } from '../../mail/author-domain.ts';
import { unstructuredText } from '../../mail/encoded-words.ts';
import { fieldValue, findFields, type Header } from '../../mail/header.ts';
import { contentBytes, readContent } from '../../store/content.ts';
import type { Content } from '../../store/message.ts';
import type { NewReport, ReportMail, ReportStore } from '../../store/report-store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { turnstile } from '../../util/turnstile.ts';
import { type DoorFacts, type Kept, keptReport } from './kept-report.ts';
import type { OwnAddresses } from './own-addresses.ts';
import type { ReadReport } from './read-report.ts';
import type { ReportReader } from './reader.ts';
import { isReport } from './recognise.ts';

export interface OfferedMail {
  queueId: string;
  at: number;
  /** As the sender spelled them. */
  forwardPaths: readonly string[];
  header: Header;
  content: Content;
  /** Absent for mail from trusted networks, which is not checked. */
  verdicts: Verdicts | undefined;
}

export interface ReportInboxParts {
  store: ReportStore;
  reader: ReportReader;
  addresses: Pick<OwnAddresses, 'has' | 'start' | 'stop'>;
  clock: Clock;
  log: Log;
  /** Reports are kept for so long. */
  keptMs: number;
  /** What is known here of the message that somebody complains of; what it resolves to is kept with the complaint. */
  onAbuse(report: AbuseReport, facts: DoorFacts): Promise<unknown>;
  /** Whether a domain is ours, or above or below one of ours: a policy may stand there. */
  isOurs(domain: string): boolean;
}

/** A larger mail is no report that anybody sends. */
export const maxMailBytes = 12 * 1024 * 1024;
/** Mails that may wait to be read. Beyond them reports are delivered and not read: nobody fills our disk with them. */
export const maxWaiting = 200;
export const maxWaitingBytes = 64 * 1024 * 1024;
/** Mails that are in memory on their way aside; the others wait for their turn. */
const atOnce = 2;
/** Reports that are kept, the latest ones. */
export const maxReports = 20_000;
/** Of one sender in a day, proven or not: a large provider reports on each of our domains. Beyond that they are delivered only. */
export const maxPerSender = 1000;
/** Senders that are told apart in a day; the others count as one. */
const maxSenders = 10_000;
/** After a failure of the store, and from start to the first look. */
const [againMs, firstLookMs] = [60_000, 5000];
const pruneEveryMs = 24 * 3600_000;
const maxText = 200;

export class ReportInbox {
  readonly #parts: ReportInboxParts;
  /** Those that this run has put aside, and not read yet. */
  #waiting = 0;
  #waitingBytes = 0;
  readonly #turns = turnstile(atOnce);
  #reading: Promise<void> | undefined;
  /** Something came while the last look was ending. */
  #isMore = false;
  /** Reports by sender of the day, so that nobody pushes those of others out of what is kept. */
  #today = { day: '', bySender: new Map<string, number>() };
  #stopped = false;
  #cancels: (() => void)[] = [];

  constructor(parts: ReportInboxParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#parts.addresses.start();
    this.#after(firstLookMs, () => this.#look());
    this.#prune();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    await this.#parts.addresses.stop();
    await this.#parts.reader.rest();
    await this.#reading;
  }

  /** Undefined for what is no report to us, which is nearly everything; else resolves when the mail is put aside. */
  offer(mail: OfferedMail): Promise<void> | undefined {
    const { addresses, log } = this.#parts;
    if (!mail.forwardPaths.some((path) => addresses.has(path)) || !isReport(mail.header)) return undefined;
    const { queueId } = mail;
    const bytes = contentBytes(mail.content);
    if (this.#waiting >= maxWaiting || this.#waitingBytes + Math.min(bytes, maxMailBytes) > maxWaitingBytes) {
      log.warn({ queueId, maxWaiting }, 'too many reports wait to be read: this one is delivered only');
      return undefined;
    }
    if (bytes > maxMailBytes) {
      log.warn({ queueId, maxMailBytes }, 'a mail that claims to be a report is too large to be read');
      return undefined;
    }
    const facts = doorFacts(mail);
    if (this.#isTooMany(facts.sender)) {
      log.warn({ queueId, sender: facts.sender, maxPerSender }, 'too many reports of this sender today');
      return undefined;
    }
    return this.#putAside(mail, facts);
  }

  #isTooMany(sender: string): boolean {
    const day = new Date(this.#parts.clock.now()).toISOString().slice(0, 10);
    if (this.#today.day !== day) this.#today = { day, bySender: new Map() };
    const { bySender } = this.#today;
    const key = bySender.has(sender) || bySender.size < maxSenders ? sender : '';
    const count = (bySender.get(key) ?? 0) + 1;
    bySender.set(key, count);
    return count > maxPerSender;
  }

  async #putAside(mail: OfferedMail, facts: DoorFacts): Promise<void> {
    const { queueId, at: receivedAt, content } = mail;
    const bytes = contentBytes(content);
    this.#waits(1, bytes);
    await this.#turns.enter();
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of readContent(content)) chunks.push(chunk);
      const octets = Buffer.concat(chunks);
      await this.#parts.store.addReportMail({ queueId, receivedAt, facts, octets });
    } catch (error) {
      this.#waits(-1, -bytes);
      throw error;
    } finally {
      this.#turns.leave();
    }
    this.#look();
  }

  /** Not below none: an earlier run has put some aside, too. */
  #waits(mails: number, bytes: number): void {
    this.#waiting = Math.max(0, this.#waiting + mails);
    this.#waitingBytes = Math.max(0, this.#waitingBytes + bytes);
  }

  /** Reads what there is, if nobody does already. */
  #look(): void {
    this.#isMore = this.#reading !== undefined;
    if (this.#stopped || this.#isMore) return;
    this.#reading = this.#readAll()
      .catch((error) => {
        this.#parts.log.error({ err: error }, 'reports cannot be read now');
        this.#after(againMs, () => this.#look());
      })
      .finally(() => {
        this.#reading = undefined;
        if (this.#isMore) this.#look();
      });
  }

  async #readAll(): Promise<void> {
    const { store, reader } = this.#parts;
    for (let mail = await store.nextReportMail(); mail !== undefined; mail = await store.nextReportMail()) {
      const read = await reader.read(mail.octets);
      if (this.#stopped) return; // it may have failed for that reason
      await this.#keep(mail, read);
      this.#waits(-1, -mail.octets.length);
    }
    await reader.rest();
  }

  async #keep(mail: ReportMail, read: ReadReport): Promise<void> {
    const { store, log, onAbuse } = this.#parts;
    const { queueId, receivedAt } = mail;
    const facts = mail.facts as DoorFacts; // written by #putAside()
    const kept = keptReport(read, mail, facts, this.#parts.isOurs);
    const matched = read.kind === 'abuse' ? { matched: await onAbuse(read.report, facts) } : {};
    const data = { ...(kept.data as object), ...matched };
    const report: NewReport = { ...kept, data, queueId, receivedAt, sender: facts.sender };
    const isNew = await store.settleReportMail(report);
    const told = {
      queueId,
      from: facts.from,
      kind: kept.kind,
      organization: kept.organization,
      ...problemOf(kept),
    };
    if (kept.kind === 'unreadable') log.warn(told, 'a report cannot be read');
    else log.info(told, isNew ? 'report read' : 'report read that is there already');
  }

  #prune(): void {
    const { store, clock, keptMs, log } = this.#parts;
    store.pruneReports(clock.now() - keptMs, maxReports).then(
      (count) => count > 0 && log.info({ count }, 'old reports removed'),
      (error) => log.error({ err: error }, 'cannot remove old reports'),
    );
    this.#after(pruneEveryMs, () => this.#prune());
  }

  #after(delayMs: number, work: () => void): void {
    if (this.#stopped) return;
    const cancel = this.#parts.clock.after(delayMs, () => {
      this.#cancels = this.#cancels.filter((each) => each !== cancel);
      work();
    });
    this.#cancels.push(cancel);
  }
}

/** `data` of what cannot be read is what the reader has thrown (`noteUnreadable()`). */
const problemOf = ({ kind, data }: Kept): object =>
  kind === 'unreadable' ? { problem: (data as { problem: string }).problem } : {};

function doorFacts({ header, verdicts }: OfferedMail): DoorFacts {
  const { fields } = header;
  const trusted = { domain: authorDomain(header) ?? '', signed: false };
  const { domain: sender, signed } = verdicts ? provenAuthor(verdicts) : trusted;
  const first = (name: string) => findFields(fields, name)[0];
  const text = (name: string) => {
    const field = first(name);
    return field === undefined ? '' : unstructuredText(field).slice(0, maxText);
  };
  const id = first('message-id');
  return {
    sender,
    signed,
    trusted: verdicts === undefined,
    from: text('from'),
    subject: text('subject'),
    messageId: id === undefined ? '' : fieldValue(id).slice(0, maxText),
  };
}
