/** What only a running server can do for whoever administers it. */

import type { AddressCheck } from '../delivery/check/check-address.ts';
import type { SourceReport } from '../delivery/guard/guard.ts';
import type { DeliveryGroup } from '../queue/hand-out.ts';
import type { Matches } from '../queue/matches.ts';
import type { SiteOutlook } from '../queue/outlook.ts';
import type { Suspension } from '../queue/suspensions.ts';
import type { JobRow } from '../store/job.ts';
import type { EndSessions } from './account-settings.ts';
import type { BanParts } from './ban-operations.ts';
import type { SendResult } from './shapes/server.ts';

export interface Running extends BanParts {
  /** Takes a message as from the owner of this machine. Rejects with an AdminError('refused') where nobody gets it. */
  submit(from: string, recipients: string[], content: Buffer): Promise<SendResult>;
  /** Rejects with an AdminError('too-many'). */
  checkAddress(address: string, options: { fresh?: boolean }): Promise<AddressCheck>;
  /** How the site of a waiting job stands. */
  outlookOf(job: JobRow, sentBy: { reversePath: string }): Promise<SiteOutlook>;
  /** Deliveries at once. */
  concurrency: number;
  /** Jobs may have become due; with `all`, they are tried whatever is known of their sites. */
  look(all: boolean): void;
  /** Lets nothing that matches begin until the returned function is called; with `recall`, has it in the store. */
  withhold(matches: Matches, recall: boolean): Promise<() => void>;
  /** What waits in memory for its turn. */
  inLine(): readonly DeliveryGroup[];
  /** These are in force from now on; resolves when nothing follows others any more. */
  suspend(suspensions: readonly Suspension[]): Promise<void>;
  /** Accounts, what is set of them, or aliases have changed; an account was removed. */
  accountsChanged(removed?: string): void;
  endSessions: EndSessions;
  /** What was learned of a receiving site, or of all, counts no more. */
  receiversForgotten(site: string | undefined): void;
  lookAtSources(): Promise<SourceReport[]>;
}
