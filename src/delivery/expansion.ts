/**
 * Tells a sender who wanted to hear of success that an address stood for several people (RFC 3461 §5.2.7.3 c): when the
 * message is accepted, since each of them goes a way of its own from there.
 */

import type { Queue } from '../queue/queue.ts';
import { originalRecipient } from '../smtp/rcpt-parameters.ts';
import type { MessageRow } from '../store/message.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../util/log.ts';
import { type ReportParts, reportsFor } from './reports/report.ts';

export interface ExpansionParts {
  report: ReportParts;
  queue: Pick<Queue, 'accept'>;
  store: Pick<Store, 'appendEvents'>;
  log: Log;
}

type Expanded = readonly { recipient: string; orcpt?: string }[];

/**
 * Resolves when the report is on disk, or there is none to write, or it cannot be written: the message itself is queued by
 * then, and is not to be refused any more.
 */
export function expansionReporter(parts: ExpansionParts) {
  const tell = telling(parts);
  return (message: MessageRow, expanded: Expanded): Promise<void> =>
    tell(message, expanded).catch((error) => {
      const { queueId } = message;
      parts.log.error({ err: error, queueId }, 'cannot tell the sender that an alias was expanded');
    });
}

function telling({ report, queue, store }: ExpansionParts) {
  return async (message: MessageRow, expanded: Expanded): Promise<void> => {
    const at = report.clock.now();
    const reached = expanded.map(({ recipient, orcpt: coded }) => {
      const orcpt = coded === undefined ? undefined : originalRecipient(coded);
      return { recipient, action: 'expanded', at, ...(orcpt && { orcpt }) } as const;
    });
    const { entries, events } = await reportsFor(report, message, { reached });
    for (const entry of entries) await queue.accept(entry);
    if (events.length > 0) await store.appendEvents(events);
  };
}
