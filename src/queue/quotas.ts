/**
 * How full the mailboxes are that may hold only so much. A mailbox is counted when it is first asked for, and then with what
 * is delivered; since other programs take mail away, it is counted anew before anybody is turned away, and now and then.
 * What has been taken in is delivered in any case: mail may be under way to a mailbox when it fills, so that it can hold more
 * than it may, by what had its 250 by then.
 */

import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Recipient } from './recipient.ts';

export interface QuotaParts {
  /** Octets of the account's mail, by looking. */
  measure(account: string): Promise<number>;
  /** Tells the user that the mailbox is nearly full. */
  warn(usage: { account: string; bytes: number; quotaBytes: number }): Promise<void>;
  store: Pick<Store, 'listMemos' | 'writeMemos' | 'removeMemos'>;
  clock: Clock;
  log: Log;
}

/** `full` may heal; who has been so for `fullForGoodMs` is told so. `never` is what could not fit into an empty mailbox. */
export type Room = 'enough' | 'full' | 'fullForGood' | 'never';

/** A mailbox that had no room for so long has none for good: 552 instead of 452. */
export const fullForGoodMs = 24 * 3600_000;
/** Nearly full mailboxes are counted no more often than this. */
export const recountMs = 60_000;
/** And all others that are asked for. */
export const recountAllMs = 24 * 3600_000;
/** The user is told at this share, and again only after it was below the second. */
export const warnAt = 0.9;
const calmBelow = 0.8;
/** Mailboxes that are known at once; when there are more, all are forgotten. */
const maxKnown = 100_000;

export const quotaKind = 'quota';

/** What outlives a restart; only of mailboxes that are nearly full. */
interface Trouble {
  fullSince?: number;
  warnedAt?: number;
}

interface Usage {
  bytes: number;
  countedAt: number;
  quotaBytes: number;
}

export class Quotas {
  readonly #parts: QuotaParts;
  readonly #troubles: Map<string, Trouble>;
  readonly #usages = new Map<string, Usage>();
  readonly #counting = new Map<string, Promise<Usage>>();

  private constructor(parts: QuotaParts, troubles: ReadonlyMap<string, Trouble>) {
    this.#parts = parts;
    this.#troubles = new Map(troubles);
  }

  static async read(parts: QuotaParts): Promise<Quotas> {
    const memos = await parts.store.listMemos(quotaKind);
    // As #remember() wrote them.
    return new Quotas(parts, new Map(memos.map(({ key, value }) => [key, value as Trouble])));
  }

  /** Whether one of these can take a message of that size; at once where none of them is limited. */
  roomFor(recipients: readonly Recipient[], sizeBytes: number): Promise<Room> | undefined {
    const limited = recipients.filter(({ kind, quotaBytes }) => kind === 'local' && quotaBytes !== undefined);
    if (limited.length === 0) return undefined;
    // What a mailbox has passed on is the mail of that mailbox. Who cannot be turned away alone is not turned away: the
    // others of an alias are to get it.
    const isOf = (recipient: Recipient) =>
      limited.some((each) => each === recipient || each.address === recipient.forwardedBy);
    return recipients.every(isOf) ? this.#best(limited, sizeBytes) : undefined;
  }

  /** A message of that size is in the mailbox. */
  delivered(account: string, sizeBytes: number): void {
    const usage = this.#usages.get(account);
    if (!usage) return;
    usage.bytes += sizeBytes;
    if (usage.bytes < warnAt * usage.quotaBytes || this.#troubles.get(account)?.warnedAt !== undefined)
      return;
    this.#warn(account).catch((error) =>
      this.#parts.log.error({ err: error, account }, 'cannot tell a user that the mailbox is nearly full'),
    );
  }

  async #best(recipients: readonly Recipient[], sizeBytes: number): Promise<Room> {
    const rooms: Room[] = [];
    for (const { address, quotaBytes = 0 } of recipients) {
      const room = await this.#room(address, { quotaBytes, sizeBytes });
      if (room === 'enough') return room;
      rooms.push(room);
    }
    return rooms.find((room) => room === 'full') ?? rooms[0] ?? 'enough';
  }

  async #room(
    account: string,
    { quotaBytes, sizeBytes }: { quotaBytes: number; sizeBytes: number },
  ): Promise<Room> {
    if (sizeBytes > quotaBytes) return 'never';
    const fits = ({ bytes }: Usage) => bytes < quotaBytes && bytes + sizeBytes <= quotaBytes;
    const known = await this.#usage(account, quotaBytes, recountAllMs);
    const usage = fits(known) ? known : await this.#usage(account, quotaBytes, recountMs);
    const { fullSince, ...trouble } = this.#troubles.get(account) ?? {};
    if (fits(usage)) {
      const isCalm = usage.bytes < calmBelow * quotaBytes;
      if (fullSince !== undefined || (isCalm && trouble.warnedAt !== undefined))
        await this.#remember(account, isCalm ? {} : trouble);
      return 'enough';
    }
    const { clock } = this.#parts;
    if (fullSince === undefined) await this.#remember(account, { ...trouble, fullSince: clock.now() });
    return fullSince !== undefined && clock.now() - fullSince >= fullForGoodMs ? 'fullForGood' : 'full';
  }

  async #warn(account: string): Promise<void> {
    const known = this.#usages.get(account);
    if (!known) return;
    const usage = await this.#usage(account, known.quotaBytes, recountMs);
    const { bytes, quotaBytes } = usage;
    const trouble = this.#troubles.get(account);
    if (bytes < warnAt * quotaBytes || trouble?.warnedAt !== undefined) return;
    // First, lest each of many messages that come at once give rise to a warning.
    this.#troubles.set(account, { ...trouble, warnedAt: this.#parts.clock.now() });
    await this.#parts.warn({ account, bytes, quotaBytes });
    await this.#remember(account, this.#troubles.get(account) ?? {});
  }

  /** What is known, if it was counted not longer than that ago. */
  async #usage(account: string, quotaBytes: number, maxAgeMs: number): Promise<Usage> {
    const known = this.#usages.get(account);
    if (known && this.#parts.clock.now() - known.countedAt < maxAgeMs) {
      known.quotaBytes = quotaBytes;
      return known;
    }
    const counting = this.#counting.get(account) ?? this.#count(account, quotaBytes);
    this.#counting.set(account, counting);
    return counting;
  }

  async #count(account: string, quotaBytes: number): Promise<Usage> {
    try {
      const bytes = await this.#parts.measure(account);
      if (this.#usages.size >= maxKnown) this.#usages.clear();
      const usage = { bytes, countedAt: this.#parts.clock.now(), quotaBytes };
      this.#usages.set(account, usage);
      return usage;
    } finally {
      this.#counting.delete(account);
    }
  }

  async #remember(account: string, trouble: Trouble): Promise<void> {
    const { store } = this.#parts;
    if (Object.keys(trouble).length === 0) {
      this.#troubles.delete(account);
      await store.removeMemos(quotaKind, [account]);
    } else {
      this.#troubles.set(account, trouble);
      await store.writeMemos([{ kind: quotaKind, key: account, value: trouble }]);
    }
  }
}
