/**
 * Addresses elsewhere that nobody has: learnt from refusals for good, and told to our own users when they write there
 * again, instead of trying it over and over. One refusal is remembered, and refuses nothing. Kept as memos, read once at the
 * start; the doors ask without waiting (reception/suppressed.ts).
 */

import type { SuppressionConfig } from '../config/sending.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { type Address, addressKey, parseAddress } from '../mail/address.ts';
import type { EventRow } from '../store/event-store.ts';
import type { Memo } from '../store/memo-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';

export interface Suppression {
  /** As addressKey() writes it. */
  address: string;
  /** Refusals for good in a row, each at least `apartMs` after the one before. */
  failures: number;
  /** Of the refusals, or of the operator's word: ms since the epoch. */
  firstAt: number;
  lastAt: number;
  /** Our users' mail there is refused until then; absent: it is not, so far. */
  refusedUntil?: number;
  /** The last refusal. */
  reply?: string;
  /** Of the message that got it; where an operator put it here unasked, of a dossier that is about no message. */
  queueId?: string;
  /** An operator put it here, and why. */
  by?: string;
  reason?: string;
}

export interface SuppressionPolicy {
  enabled: boolean;
  /** So many refusals until mail is refused here. */
  failures: number;
  /** At most for so long. */
  maxMs: number;
}

const hour = 3600_000;
const day = 24 * hour;

/** What was sent at the same time is refused for the same reason: it counts once. */
export const apartMs = hour;
/** Mail is refused so long at first; twice as long after each further refusal. */
export const firstRefusalMs = day;
/** Refusals are remembered so long after the last one. */
export const rememberMs = 30 * day;
/** Addresses that are remembered; beyond them nothing more is learnt. */
export const maxSuppressions = 50_000;
/** Characters of a refusal that are kept. */
const maxReply = 300;

export const suppressionKind = 'suppression';

export const suppressionPolicy = ({ enabled, failures, days }: SuppressionConfig): SuppressionPolicy => ({
  enabled,
  failures,
  maxMs: days * day,
});

export interface SuppressionParts {
  store: Pick<Store, 'listMemos' | 'writeMemos' | 'removeMemos'>;
  clock: Clock;
  policy: SuppressionPolicy;
  nextQueueId(): string;
  /** Told of what could not be written. */
  log?: Log;
}

export class Suppressions {
  readonly #parts: SuppressionParts;
  readonly #byAddress: Map<string, Suppression>;

  private constructor(parts: SuppressionParts, known: readonly Suppression[]) {
    this.#parts = parts;
    this.#byAddress = new Map(known.map((suppression) => [suppression.address, suppression]));
  }

  static async read(parts: SuppressionParts): Promise<Suppressions> {
    const memos = await parts.store.listMemos(suppressionKind);
    return new Suppressions(
      parts,
      memos.map(({ value }) => value as Suppression), // written by memoOf()
    );
  }

  /** Why our users' mail to an address is refused now. */
  findRefusal(address: Address): Suppression | undefined {
    if (this.#byAddress.size === 0 || !this.#parts.policy.enabled) return undefined;
    const found = this.#byAddress.get(addressKey(address));
    return found && (found.refusedUntil ?? 0) > this.#parts.clock.now() ? found : undefined;
  }

  /** What is known of an address, refused or not. */
  find(address: Address): Suppression | undefined {
    const found = this.#byAddress.get(addressKey(address));
    return found && endOf(found) > this.#parts.clock.now() ? found : undefined;
  }

  /** All that are known, in the order of their addresses. */
  list(): Suppression[] {
    const now = this.#parts.clock.now();
    return [...this.#byAddress.values()]
      .filter((suppression) => endOf(suppression) > now)
      .sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  /** Learns from what has happened, once it is on disk. */
  note(events: readonly EventRow[]): void {
    if (!this.#parts.policy.enabled) return;
    for (const event of events) {
      const { recipient } = event;
      if (recipient === undefined) continue;
      if (event.event === 'failed' && event.data.noSuchUser === true) this.#failed(recipient, event);
      else if (event.event === 'delivered' && this.#byAddress.size > 0) this.#delivered(recipient);
    }
  }

  /** An operator's word, until they take it back or that moment. */
  async add(
    address: Address,
    { until, ...order }: { by: string; reason?: string; until: number },
  ): Promise<Suppression> {
    const now = this.#parts.clock.now();
    const key = addressKey(address);
    const known = this.#byAddress.get(key);
    const evidence = known ?? { address: key, failures: 0, firstAt: now };
    const queueId = known?.queueId ?? this.#parts.nextQueueId();
    const suppression = { ...evidence, ...order, queueId, lastAt: now, refusedUntil: until };
    await this.#keep(suppression, this.#eventOf(suppression, 'suppressed', { ...order, until }));
    return suppression;
  }

  /** Resolves to what was known of it. */
  async remove(address: Address, by: string): Promise<Suppression | undefined> {
    const known = this.find(address);
    if (known === undefined) return undefined;
    await this.#parts.store.removeMemos(
      suppressionKind,
      [known.address],
      this.#eventOf(known, 'unsuppressed', { by }),
    );
    this.#byAddress.delete(known.address);
    return known;
  }

  #failed(recipient: string, { at, queueId, data }: EventRow): void {
    const address = parseAddress(recipient);
    if (address === undefined) return;
    const key = addressKey(address);
    const known = this.#byAddress.get(key);
    const before = known && endOf(known) > at ? known : undefined;
    if (before === undefined && this.#byAddress.size >= maxSuppressions) this.#forgetOver(at);
    if (this.#byAddress.size >= maxSuppressions && known === undefined) return;
    if (before !== undefined && (before.by !== undefined || at < before.lastAt + apartMs)) return;
    const suppression = this.#after(before, { address: key, at, queueId, reply: String(data.reason) });
    const { refusedUntil, failures } = suppression;
    const told =
      refusedUntil === undefined
        ? []
        : this.#eventOf(suppression, 'suppressed', { failures, until: refusedUntil });
    this.#inBackground(this.#keep(suppression, told));
  }

  /** What is known after one more refusal. */
  #after(
    before: Suppression | undefined,
    { address, at, queueId, reply }: { address: string; at: number; queueId: string; reply: string },
  ): Suppression {
    const { policy } = this.#parts;
    const failures = (before?.failures ?? 0) + 1;
    const refusedMs = Math.min(firstRefusalMs * 2 ** (failures - policy.failures), policy.maxMs);
    return {
      address,
      failures,
      firstAt: before?.firstAt ?? at,
      lastAt: at,
      reply: reply.slice(0, maxReply),
      queueId,
      ...(failures >= policy.failures && { refusedUntil: at + refusedMs }),
    };
  }

  /** Somebody is there after all; an operator's word stays. */
  #delivered(recipient: string): void {
    // As it is spelled nearly always; a letter to an address that is known is no plain case, and worth a look.
    const address = this.#byAddress.has(recipient.toLowerCase()) ? parseAddress(recipient) : undefined;
    const known = address && this.#byAddress.get(addressKey(address));
    if (known === undefined || known.by !== undefined) return;
    this.#byAddress.delete(known.address);
    this.#inBackground(this.#parts.store.removeMemos(suppressionKind, [known.address]));
  }

  #forgetOver(now: number): void {
    for (const [key, suppression] of this.#byAddress)
      if (endOf(suppression) <= now) this.#byAddress.delete(key);
  }

  async #keep(suppression: Suppression, events: EventRow[] = []): Promise<void> {
    this.#byAddress.set(suppression.address, suppression);
    await this.#parts.store.writeMemos([memoOf(suppression)], events);
  }

  #inBackground(work: Promise<unknown>): void {
    work.catch((error) => this.#parts.log?.error({ err: error }, 'cannot write down a suppressed address'));
  }

  /** For the dossier of the message that was refused last; where none was, it is about the address alone. */
  #eventOf(
    { queueId = this.#parts.nextQueueId(), address, failures }: Suppression,
    event: 'suppressed' | 'unsuppressed',
    data: Extract<DossierEvent, { event: 'suppressed' | 'unsuppressed' }>['data'],
  ): EventRow[] {
    const at = this.#parts.clock.now();
    const isOfMessage = failures > 0;
    return [
      isOfMessage
        ? { at, queueId, event, recipient: address, data }
        : { at, queueId, event, data: { ...data, to: address } },
    ];
  }
}

const endOf = ({ by, lastAt, refusedUntil }: Suppression): number =>
  Math.max(refusedUntil ?? 0, by === undefined ? lastAt + rememberMs : 0);

const memoOf = (suppression: Suppression): Memo => ({
  kind: suppressionKind,
  key: suppression.address,
  value: suppression,
  expiresAt: endOf(suppression),
});
