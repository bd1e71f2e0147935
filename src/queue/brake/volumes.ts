/**
 * The volumes of all users: read from the store when one is asked for, kept in memory while there is room, and written, that of
 * all in one transaction, some time after they have changed. What a volume means for its user is not known here.
 */

import type { Memo } from '../../store/memo-store.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { MaybePromise } from '../../util/maybe-promise.ts';
import { emptyVolume, peakDays, type Volume } from './volume.ts';

export interface VolumesParts {
  store: Pick<Store, 'findMemo' | 'writeMemos'>;
  clock: Pick<Clock, 'now' | 'after'>;
  /** What else is to be written of an account that has changed, in the same transaction. */
  alsoOf(account: string): Memo | undefined;
  /** Told of a write that failed; what it held is written with the next one. */
  onFailure(error: unknown): void;
}

/** What was sent is written after this long, that of all users in one transaction. */
export const writeDelayMs = 10_000;
/** Users of whom it is in memory what they sent; of others it is read again. */
export const maxKnown = 10_000;
const day = 24 * 3600_000;

export const volumeKind = 'sending';

export class Volumes {
  readonly #parts: VolumesParts;
  /** By account. */
  readonly #known = new Map<string, Volume>();
  readonly #changed = new Set<string>();
  #cancelWrite: (() => void) | undefined;

  constructor(parts: VolumesParts) {
    this.#parts = parts;
  }

  /** Only if it is in memory. */
  findKnown(account: string): Volume | undefined {
    return this.#known.get(account);
  }

  of(account: string): MaybePromise<Volume> {
    const known = this.#known.get(account);
    if (known) return known;
    return this.#parts.store.findMemo(volumeKind, account).then((memo) => {
      // Whoever asked at the same moment may have been answered before.
      const volume = this.#known.get(account) ?? (memo?.value as Volume | undefined) ?? emptyVolume(); // by memoOf()
      this.#known.set(account, volume);
      return volume;
    });
  }

  /** Something of it is to be written. */
  changed(account: string): void {
    this.#changed.add(account);
    this.#cancelWrite ??= this.#parts.clock.after(writeDelayMs, () => void this.#write());
  }

  /** Its account was removed: nothing is written of it any more. */
  forget(account: string): void {
    this.#known.delete(account);
    this.#changed.delete(account);
  }

  /** Writes one at once. */
  async keep(account: string, volume: Volume, now: number): Promise<void> {
    await this.#parts.store.writeMemos([memoOf(account, volume, now)]);
  }

  /** Writes what is not written yet. */
  async stop(): Promise<void> {
    this.#cancelWrite?.();
    await this.#write();
  }

  async #write(): Promise<void> {
    this.#cancelWrite = undefined;
    const now = this.#parts.clock.now();
    const accounts = [...this.#changed];
    this.#changed.clear();
    const memos = accounts.flatMap((account): Memo[] => {
      const also = this.#parts.alsoOf(account);
      const volume = this.#known.get(account);
      return [...(also ? [also] : []), ...(volume ? [memoOf(account, volume, now)] : [])];
    });
    try {
      if (memos.length > 0) await this.#parts.store.writeMemos(memos);
    } catch (error) {
      for (const account of accounts) this.#changed.add(account); // with what comes next
      this.#parts.onFailure(error);
    }
    this.#forgetSome();
  }

  /** What is written can be read again. */
  #forgetSome(): void {
    for (const account of this.#known.keys()) {
      if (this.#known.size <= maxKnown) return;
      if (!this.#changed.has(account)) this.#known.delete(account);
    }
  }
}

const memoOf = (account: string, volume: Volume, now: number): Memo => ({
  kind: volumeKind,
  key: account,
  value: volume,
  expiresAt: now + (peakDays + 1) * day,
});
