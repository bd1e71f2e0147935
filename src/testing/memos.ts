/** The memos of a store, in memory: they outlive whoever wrote them. */

import type { Memo } from '../store/memo-store.ts';
import type { Store } from '../store/store.ts';

export interface Memos extends Pick<Store, 'listMemos' | 'writeMemos' | 'removeMemos'> {
  /** Transactions that have written something so far. */
  readonly writes: number;
}

export function memosInMemory(): Memos {
  const kept = new Map<string, Memo>();
  const nameOf = (kind: string, key: string) => JSON.stringify([kind, key]);
  let writes = 0;
  return {
    get writes() {
      return writes;
    },
    listMemos: async (kind) => structuredClone([...kept.values()].filter((memo) => memo.kind === kind)),
    async writeMemos(memos) {
      if (memos.length > 0) writes += 1;
      // As the store does: only what survives JSON comes back.
      for (const memo of memos) kept.set(nameOf(memo.kind, memo.key), JSON.parse(JSON.stringify(memo)));
    },
    async removeMemos(kind, keys) {
      return keys.filter((key) => kept.delete(nameOf(kind, key))).length;
    },
  };
}
