/** The same store, but spans are written of what is done in it, and each message keeps what its further spans hang from. */

import type { NewMessage } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Spans } from './spans.ts';

export function tracedStore(store: Store, spans: Pick<Spans, 'receive' | 'noted' | 'appended'>): Store {
  const receiving = async (entries: readonly NewMessage[], write: () => Promise<void>): Promise<void> => {
    const receipts = entries.map((entry) => spans.receive(entry));
    try {
      await write();
    } catch (error) {
      for (const receipt of receipts) receipt.fail(error);
      throw error;
    }
    for (const receipt of receipts) receipt.end();
  };
  return {
    ...store,
    accept: (entry) => receiving([entry], () => store.accept(entry)),
    async settle(settlement) {
      await receiving(settlement.reports, () => store.settle(settlement));
      spans.noted(settlement.events, settlement);
    },
    async appendEvents(events) {
      await store.appendEvents(events);
      spans.appended(events);
    },
  };
}
