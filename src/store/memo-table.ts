/**
 * A table of small facts in memory that is in the store as memos: read once, written in batches some seconds after it has
 * changed, so that a restart forgets no more than these seconds. Bounded: who was used longest ago goes first. What
 * the values mean is its owner's to know.
 */

import * as v from 'valibot';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Memo } from './memo-store.ts';
import type { Store } from './store.ts';

export interface MemoTableParts<Value> {
  store: Pick<Store, 'listMemos' | 'writeMemos' | 'removeMemos'>;
  clock: Clock;
  log: Log;
  kind: string;
  /** What was written by another version, and is not like that, is passed over. */
  shape: v.GenericSchema<unknown, Value>;
  maxEntries: number;
  /** When a value is forgotten: ms since the epoch. */
  endOf(value: Value): number;
}

/** What has changed is written after this long. */
export const writeDelayMs = 5_000;
/** Memos in one transaction. */
const batch = 1000;

export class MemoTable<Value> {
  readonly #parts: MemoTableParts<Value>;
  /** The one used last at the end. */
  readonly #known = new Map<string, Value>();
  readonly #changed = new Set<string>();
  /** Gone here, and not yet in the store. */
  readonly #gone = new Set<string>();
  #cancelWrite: (() => void) | undefined;
  #writing: Promise<void> | undefined;

  private constructor(parts: MemoTableParts<Value>) {
    this.#parts = parts;
  }

  static async read<Value>(parts: MemoTableParts<Value>): Promise<MemoTable<Value>> {
    const table = new MemoTable(parts);
    const values = (await parts.store.listMemos(parts.kind)).flatMap(({ key, value }) => {
      const read = v.safeParse(parts.shape, value);
      return read.success ? [[key, read.output] as const] : [];
    });
    // The order of use is lost; that of their ends is the next best.
    values.sort(([, one], [, other]) => parts.endOf(one) - parts.endOf(other));
    for (const [key, value] of values.slice(-parts.maxEntries)) table.#known.set(key, value);
    return table;
  }

  get size(): number {
    return this.#known.size;
  }

  get(key: string): Value | undefined {
    const value = this.#known.get(key);
    if (value === undefined || this.#parts.endOf(value) > this.#parts.clock.now()) return value;
    this.delete(key);
    return undefined;
  }

  /** Those that have not ended, the one used longest ago first. */
  entries(): (readonly [string, Value])[] {
    const now = this.#parts.clock.now();
    return [...this.#known].filter(([, value]) => this.#parts.endOf(value) > now);
  }

  set(key: string, value: Value): void {
    this.#known.delete(key);
    this.#known.set(key, value);
    this.#gone.delete(key);
    this.#changed.add(key);
    const [oldest] = this.#known.keys();
    if (this.#known.size > this.#parts.maxEntries && oldest !== undefined) this.delete(oldest);
    this.#plan();
  }

  delete(key: string): boolean {
    if (!this.#known.delete(key)) return false;
    this.#changed.delete(key);
    this.#gone.add(key);
    this.#plan();
    return true;
  }

  /** Writes what is not written yet; rejects with the store's error, and keeps it in mind then. */
  async flush(): Promise<void> {
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    await this.#writing;
    await this.#write();
  }

  #plan(): void {
    this.#cancelWrite ??= this.#parts.clock.after(writeDelayMs, () => {
      this.#cancelWrite = undefined;
      // It is known as long as this process runs, and is written with the next that changes.
      this.#writing = this.#write().catch((error: unknown) =>
        this.#parts.log.warn({ err: error, kind: this.#parts.kind }, 'cannot write what was learned'),
      );
    });
  }

  async #write(): Promise<void> {
    const { store, kind } = this.#parts;
    const [changed, gone] = [[...this.#changed], [...this.#gone]];
    this.#changed.clear();
    this.#gone.clear();
    try {
      for (let at = 0; at < changed.length; at += batch)
        await store.writeMemos(changed.slice(at, at + batch).flatMap((key) => this.#memo(key)));
      for (let at = 0; at < gone.length; at += batch)
        await store.removeMemos(
          kind,
          gone.slice(at, at + batch).filter((key) => !this.#known.has(key)),
        );
    } catch (error) {
      for (const key of changed) this.#changed.add(key);
      for (const key of gone) this.#gone.add(key);
      throw error;
    }
  }

  #memo(key: string): Memo[] {
    const value = this.#known.get(key);
    return value === undefined
      ? []
      : [{ kind: this.#parts.kind, key, value, expiresAt: this.#parts.endOf(value) }];
  }
}
