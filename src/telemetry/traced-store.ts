/**
 * The same store, but spans are written of what is done in it, and each message keeps what its further spans hang from. An SDK
 * is somebody else's code: where it fails, a span is lost, and no mail.
 */

import type { NewMessage } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../util/log.ts';
import type { Receipt, Spans } from './spans.ts';

type Written = Pick<Spans, 'receive' | 'noted' | 'appended'>;

export function tracedStore(store: Store, spans: Written, log: Pick<Log, 'error'>): Store {
  /** Undefined where it failed. */
  const write = <T>(span: () => T): T | undefined => {
    try {
      return span();
    } catch (error) {
      log.error({ err: error }, 'the OpenTelemetry SDK failed: a span is lost');
      return undefined;
    }
  };
  const receiving = async (entries: readonly NewMessage[], commit: () => Promise<void>): Promise<void> => {
    const receipts = entries.map((entry) => write(() => spans.receive(entry)));
    const each = (end: (receipt: Receipt) => void) => {
      for (const receipt of receipts) if (receipt) write(() => end(receipt));
    };
    try {
      await commit();
    } catch (error) {
      each((receipt) => receipt.fail(error));
      throw error;
    }
    each((receipt) => receipt.end());
  };
  return {
    ...store,
    accept: (entry) => receiving([entry], () => store.accept(entry)),
    async settle(settlement) {
      await receiving(settlement.reports, () => store.settle(settlement));
      write(() => spans.noted(settlement.events, settlement));
    },
    async appendEvents(events) {
      await store.appendEvents(events);
      write(() => spans.appended(events));
    },
  };
}
