/** Small facts that the store keeps for whoever writes them. */

import type { EventRow } from './event-store.ts';

/**
 * A small fact that outlives a restart and belongs to no message: a policy that was fetched, what a receiver needed, what
 * an operator decided.
 */
export interface Memo {
  kind: string;
  /** Names it among those of its kind. */
  key: string;
  /** Must survive JSON. */
  value: unknown;
  /** Not given out any more from this moment on, and removed some time after. */
  expiresAt?: number;
}

export interface MemoStore {
  /** Writes memos in the place of those of the same kind and key, together with what is to be told of it in dossiers. */
  writeMemos(memos: Memo[], events?: EventRow[]): Promise<void>;
  findMemo(kind: string, key: string): Promise<Memo | undefined>;
  /** All of a kind, by their keys. */
  listMemos(kind: string): Promise<Memo[]>;
  /** Resolves to how many there were. */
  removeMemos(kind: string, keys: string[], events?: EventRow[]): Promise<number>;
}
