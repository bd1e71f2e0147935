/** The same store, but somebody sees the events that are written, once they are on disk, and how long a message took to be. */

import type { EventRow } from '../store/event-store.ts';
import type { Store } from '../store/store.ts';

export interface StoreWatch {
  noted(events: readonly EventRow[]): void;
  /** A message is on disk: in milliseconds since it was handed over. */
  committed(durationMs: number): void;
}

/** `watch` says who that is at the moment, if anybody. */
export function watchedStore(store: Store, watch: () => StoreWatch | undefined): Store {
  return {
    ...store,
    async accept(entry) {
      const startedAt = performance.now();
      await store.accept(entry);
      const seen = watch();
      seen?.committed(performance.now() - startedAt);
      seen?.noted(entry.events);
    },
    async settle(settlement) {
      await store.settle(settlement);
      const seen = watch();
      seen?.noted(settlement.events);
      for (const { events } of settlement.reports) seen?.noted(events);
    },
    async appendEvents(events) {
      await store.appendEvents(events);
      watch()?.noted(events);
    },
  };
}
