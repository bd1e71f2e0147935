/** The wiring of what commands reach: the operations, on the running server, as one reading of the configuration has it. */

import { addressChecks, ownAddresses } from '../admin/address-checks.ts';
import type { Admin } from '../admin/admin.ts';
import { AdminError } from '../admin/admin-error.ts';
import { localAdmin } from '../admin/local-admin.ts';
import { AddressChecker } from '../delivery/check/address-checker.ts';
import { operatorParts } from '../delivery/operator.ts';
import { createCheckParts, createSourceChooser } from '../delivery/outbound.ts';
import type { OutboundTls } from '../delivery/tls/outbound-tls.ts';
import type { Certificates } from '../net/tls-context.ts';
import type { Matches } from '../queue/matches.ts';
import type { Suspension } from '../queue/suspensions.ts';
import { HandInError, handIn } from '../reception/control.ts';
import type { WhichLogins } from '../reception/signed-in.ts';
import type { JobRow } from '../store/job.ts';
import type { Acme } from './acme.ts';
import type { Reception } from './core.ts';
import { doorPartsOf } from './doors.ts';

export async function openOperations(
  reception: Reception & {
    tls: OutboundTls;
    certificates: Certificates | undefined;
    acme: Acme | undefined;
  },
  parts: AsyncDisposableStack,
): Promise<Admin> {
  const {
    config,
    clock,
    store,
    directory,
    suppressions,
    queue,
    resolver,
    receivers,
    guard,
    defence,
    brake,
    greylist,
    history,
  } = reception;
  const submission = doorPartsOf(reception);
  const checkParts = await createCheckParts(config, {
    resolver,
    clock,
    findOwn: ownAddresses(directory),
    tls: reception.tls.policies,
    sources: createSourceChooser(config, guard),
  });
  const checker = new AddressChecker(checkParts);
  const running = {
    accountsChanged: (removed: string | undefined) => brake.forget(removed),
    endSessions: (account: string, which?: WhichLogins) => reception.signedIn.end(account, which),
    abuseCounts: defence.abuseCounts,
    forgiven: defence.forgiven,
    submit: (from: string, recipients: string[], content: Buffer) =>
      handIn(submission, { from, recipients, content }).catch((error) => {
        throw error instanceof HandInError
          ? new AdminError('refused', error.message, { cause: error })
          : error;
      }),
    checkAddress: addressChecks(checker, suppressions),
    outlookOf: (job: JobRow, sentBy: { reversePath: string }) => queue.outlookOf(job, sentBy),
    concurrency: config.delivery.concurrency,
    receiversForgotten: (site: string | undefined) => receivers.forget(site),
    lookAtSources: () => guard.look(),
    look: (all: boolean) => (all ? queue.wake() : queue.look()),
    withhold: (matches: Matches, recall: boolean) => queue.withhold(matches, recall),
    inLine: () => queue.inLine(),
    suspend: (suspensions: readonly Suspension[]) => queue.suspend(suspensions),
  };
  parts.defer(() => checker.stop());
  return localAdmin({
    ...operatorParts({ ...reception, settle: (settlement) => queue.settle(settlement) }),
    store,
    domains: config.domains,
    policies: config.policies,
    directory,
    suppressions: async () => suppressions,
    bans: async () => defence.bans,
    brake: async () => brake,
    greylist: async () => greylist,
    senders: async () => history,
    clock,
    dataDir: config.dataDir,
    graceMs: config.accounts.graceDays * dayMs,
    dossierMs: config.dossier.days * dayMs,
    turns: reception.turns.accounts,
    certificates: { known: () => reception.certificates?.known() ?? [], acme: reception.acme },
    running,
  });
}

const dayMs = 24 * 3600_000;
