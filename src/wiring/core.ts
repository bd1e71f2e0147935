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
import type { Quotas } from '../queue/quotas.ts';
import { retryPolicy } from '../queue/retry.ts';
import type { ReturnPaths } from '../queue/return-paths.ts';
import type { Suppressions } from '../queue/suppressions.ts';
import type { Defence } from '../reception/abuse/defence.ts';
import type { Gate } from '../reception/abuse/gate.ts';
import type { Greylist } from '../reception/greylist/greylist.ts';
import type { SenderHistory } from '../reception/history/history.ts';
import type { Repeats } from '../reception/repeats.ts';
import type { SignedIn } from '../reception/signed-in.ts';
import type { ReportTallies } from '../reporting/open-reports.ts';
import type { DeliveryAgent } from '../store/delivery-agent.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Health } from '../util/health.ts';
import type { Log } from '../util/log.ts';
import type { Turnstile } from '../util/turnstile.ts';
import type { Counting } from './telemetry.ts';

/** What outlives a reload: it is on disk, or has been learned. */
export interface Lasting {
  log: Log;
  clock: Clock;
  store: Store;
  nextQueueId(): string;
  directory: Directory;
  returnPaths: ReturnPaths;
  quotas: Quotas;
  suppressions: Suppressions;
  receivers: Receivers;
  queue: Queue;
  defence: Defence;
  /** Of the web listeners: what comes there counts apart. */
  webGate: Gate;
  health(): Health;
  counting: Counting;
  /** Somebody takes spans. */
  isTraced: boolean;
  brake: Brake;
  greylist: Greylist;
  history: SenderHistory;
  tallies: ReportTallies;
  repeats: Repeats;
  agent: DeliveryAgent;
  /** Of local deliveries at once, and of changes to the accounts. */
  turns: { mailboxes: Turnstile; accounts: Turnstile };
  /** Accounts whose mailbox a POP3 session has open. */
  openMailboxes: Set<string>;
  /** TLS sessions are taken up again after a reload. */
  ticketKeys: Buffer;
  signedIn: SignedIn;
}

/** And what is made of one reading of the configuration. */
export interface Core extends Lasting {
  config: Config;
  signers: ReadonlyMap<string, DkimSigner>;
  resolver: Resolver;
  guard: Guard;
}

export interface Reception extends Core {
  complaints: Complaints;
}

export function reportPartsOf({
  config,
  ...core
}: Pick<Core, 'config' | 'directory' | 'signers' | 'nextQueueId' | 'clock'>): ReportParts {
  const { directory, signers, nextQueueId, clock } = core;
  const { lifetimeMs } = retryPolicy(config.delivery);
  return { hostname: config.hostname, directory, signers, nextQueueId, clock, lifetimeMs };
}
