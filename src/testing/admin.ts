/** For tests of what operators do: the parts of a local admin, where no server runs and no mail leaves. */

import type { LocalAdminParts } from '../admin/local-admin.ts';
import { Brake } from '../queue/brake/brake.ts';
import { Directory } from '../queue/directory.ts';
import { Suppressions } from '../queue/suppressions.ts';
import { Bans, banPolicy } from '../reception/abuse/bans.ts';
import { Greylist } from '../reception/greylist/greylist.ts';
import { SenderHistory } from '../reception/history/history.ts';
import type { ClaimedMessage } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { createLog } from '../util/log.ts';
import { queueIds } from '../util/queue-id.ts';

const domains = [{ name: 'example.com' }, { name: 'xn--bcher-kva.example' }];

const day = 24 * 3600_000;

/** Sites are called `1 mx.DOMAIN:25`. */
export function adminParts(store: Store, more: Partial<LocalAdminParts> = {}): LocalAdminParts {
  const clock: Clock = more.clock ?? systemClock;
  return {
    store,
    domains,
    policies: [],
    directory: new Directory({ store, domains }),
    suppressions: () =>
      Suppressions.read({
        store,
        clock,
        policy: { enabled: true, failures: 2, maxMs: 7 * day },
        nextQueueId: queueIds(clock.now, Math.random),
      }),
    bans: () =>
      Bans.read({
        store,
        clock,
        policy: banPolicy({ banMinutes: 15, banMaxHours: 24 }),
        log: createLog('silent'),
      }),
    brake: () =>
      Brake.read({ store, clock, policy: { enabled: true, hourlyRecipients: 50 }, log: createLog('silent') }),
    senders: () => SenderHistory.read({ store, clock, log: createLog('silent') }),
    greylist: () =>
      Greylist.read({
        store,
        clock,
        config: { minutes: 5, windowHours: 24, days: 35, passes: 3 },
        log: createLog('silent'),
      }),
    clock,
    dossierMs: 30 * day,
    siteOf: async (destination) => (destination === '' ? 'local' : `1 mx.${destination}:25`),
    bounce: async ({ message, jobs }: ClaimedMessage) =>
      store.settle({
        queueId: message.queueId,
        results: jobs.map(({ number }) => ({ number, result: 'done' })),
        events: [],
        reports: [],
      }),
    ...more,
  };
}
