/** What the parts of a server are made of, by name: each takes what it uses. */

import type { DkimSigner } from '../authentication/dkim-sign.ts';
import type { Config } from '../config/config.ts';
import type { Guard } from '../delivery/guard/guard.ts';
import type { Receivers } from '../delivery/receivers/receivers.ts';
import type { ReportParts } from '../delivery/reports/report.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Brake } from '../queue/brake/brake.ts';
import type { Complaints } from '../queue/complaints.ts';
import type { Directory } from '../queue/directory.ts';
import type { Queue } from '../queue/queue.ts';
import { retryPolicy } from '../queue/retry.ts';
import type { Suppressions } from '../queue/suppressions.ts';
import type { Defence } from '../reception/abuse/defence.ts';
import type { Greylist } from '../reception/greylist/greylist.ts';
import type { SenderHistory } from '../reception/history/history.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';

/** What most parts are made of. */
export interface Core {
  config: Config;
  log: Log;
  clock: Clock;
  store: Store;
  signers: ReadonlyMap<string, DkimSigner>;
  nextQueueId(): string;
}

export interface Reception extends Core {
  directory: Directory;
  resolver: Resolver;
  receivers: Receivers;
  guard: Guard;
  suppressions: Suppressions;
  queue: Queue;
  defence: Defence;
  brake: Brake;
  greylist: Greylist;
  complaints: Complaints;
  history: SenderHistory;
}

/** What deliveries need, and those who report on them: no door is open yet. */
export type BeforeDoors = Omit<Reception, 'queue' | 'defence' | 'greylist' | 'complaints' | 'history'>;

export function reportPartsOf({ config, ...core }: BeforeDoors): ReportParts {
  const { directory, signers, nextQueueId, clock } = core;
  const { lifetimeMs } = retryPolicy(config.delivery);
  return { hostname: config.hostname, directory, signers, nextQueueId, clock, lifetimeMs };
}
