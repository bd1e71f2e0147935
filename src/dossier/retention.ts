/** How long dossiers are kept, and that none is kept where they are switched off. */

import type { DossierConfig } from '../config/receiving.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';

const dayMs = 24 * 3600_000;
/** Between two looks; the first comes soon after the start. */
const intervalMs = 3600_000;
const firstLookMs = 60_000;

/** Removes what is too old or too much, every hour; the returned function stops it. */
export function pruneRegularly(store: Store, kept: () => DossierConfig, clock: Clock, log: Log): () => void {
  let cancel = clock.after(firstLookMs, look);

  function look(): void {
    cancel = clock.after(intervalMs, look);
    const { days, bytes } = kept();
    store.pruneEvents({ before: clock.now() - days * dayMs, maxBytes: bytes }).then(
      (count) => count > 0 && log.info({ count }, 'old dossier entries removed'),
      (error) => log.error({ err: error }, 'cannot remove old dossier entries'),
    );
  }

  return () => cancel();
}

/** The same store, but events are not written where dossiers are switched off. */
export function keepingDossiers(store: Store, isKept: () => boolean): Store {
  const without = withoutDossiers(store);
  const chosen = () => (isKept() ? store : without);
  return {
    ...store,
    accept: (entry) => chosen().accept(entry),
    settle: (settlement) => chosen().settle(settlement),
    changeJobs: (change) => chosen().changeJobs(change),
    appendEvents: (events) => chosen().appendEvents(events),
    writeMemos: (memos, events) => chosen().writeMemos(memos, events),
    removeMemos: (kind, keys, events) => chosen().removeMemos(kind, keys, events),
  };
}

function withoutDossiers(store: Store): Store {
  return {
    ...store,
    accept: (entry) => store.accept({ ...entry, events: [] }),
    settle: (settlement) =>
      store.settle({
        ...settlement,
        events: [],
        reports: settlement.reports.map((report) => ({ ...report, events: [] })),
      }),
    changeJobs: ({ events: _events, ...change }) => store.changeJobs(change),
    appendEvents: async () => undefined,
    writeMemos: (memos) => store.writeMemos(memos),
    removeMemos: (kind, keys) => store.removeMemos(kind, keys),
  };
}
