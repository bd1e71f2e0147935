/**
 * What the door for mail from outside is made of, and what it has of a message whose last octet is there.
 */

import type { Resolver } from '../../dns/resolver.ts';
import type { Directory } from '../../queue/directory.ts';
import type { Queue } from '../../queue/queue.ts';
import type { Suppressions } from '../../queue/suppressions.ts';
import type { DmarcReports } from '../../reporting/dmarc-reports.ts';
import type { ReportInbox } from '../../reporting/inbox/report-inbox.ts';
import type { Spool } from '../../store/spool.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { AcceptedParts } from '../accepted.ts';
import type { Filters } from '../filters/filters.ts';
import type { Judging } from '../judging.ts';
import type { MessageCollector } from '../message-collector.ts';
import type { ReportExpansion } from '../requests.ts';
import type { Signers, Signing } from '../signing.ts';

export interface InboundParts {
  hostname: string;
  headerBytes: number;
  inlineBytes: number;
  queue: Pick<Queue, 'accept'>;
  reportExpansion: ReportExpansion;
  directory: Directory;
  store: Pick<Store, 'appendEvents'>;
  judging: Judging;
  spool: Pick<Spool, 'begin'>;
  resolver: Resolver;
  signers: Signers;
  /** Of what programs on trusted networks send. Absent: no address is refused. */
  suppressions?: Pick<Suppressions, 'findRefusal'>;
  clock: Clock;
  /** Absent where none is configured. */
  filters?: Filters | undefined;
  /** Whose ARC seals are believed; absent: nobody's. */
  arc?: { seal: boolean; trustedSealers: readonly string[] };
  /** How long delivery may take, in ms. */
  lifetimeMs?: number;
  /** Where reports on us are read. Absent: they are mail like any other. */
  reports?: Pick<ReportInbox, 'offer'> | undefined;
  /** Absent: nobody is told what came in their name. */
  dmarcReports?: Pick<DmarcReports, 'note'> | undefined;
}

/** What is known of a message when its last octet is there. */
export interface Received extends AcceptedParts {
  collector: MessageCollector;
  signing: Signing | undefined;
  /** The author's domain, of mail from a trusted network: it may be ours. */
  authorDomain: string | undefined;
}
