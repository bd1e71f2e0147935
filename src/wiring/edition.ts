/**
 * The second third of the wiring: all that is made of one reading of the configuration. A reload makes another one beside
 * it, which takes its place only when nothing can go wrong any more. What began with an edition ends with it.
 */

import type { Config } from '../config/config.ts';
import { warningsOfSecrets } from '../config/secret-files.ts';
import { createHttps, createResolver, loadSigners } from '../delivery/outbound.ts';
import { createTls } from '../delivery/tls/outbound-tls.ts';
import { Complaints } from '../queue/complaints.ts';
import { createJudging } from '../reception/create-judging.ts';
import { inboundDoor } from '../reception/inbound.ts';
import { lmtpDoor } from '../reception/lmtp.ts';
import { warnOfLostDomains } from '../reception/lost-domains.ts';
import { warnOfLostPolicies } from '../reception/lost-policies.ts';
import { openLogins } from '../reception/open-logins.ts';
import { submissionDoor } from '../reception/submission.ts';
import { openReportInbox } from '../reporting/inbox/open-inbox.ts';
import type { OfferedMail, ReportInbox } from '../reporting/inbox/report-inbox.ts';
import { openDmarcReports, openTlsReports } from '../reporting/open-reports.ts';
import { UnderWay } from '../util/under-way.ts';
import { openAcme } from './acme.ts';
import { openCertificates } from './certificates.ts';
import { openOperations } from './control.ts';
import { type Lasting, type Reception, reportPartsOf } from './core.ts';
import { openSending, startGuard } from './deliveries.ts';
import { createFilters, doorPartsOf } from './doors.ts';
import type { Edition, InForce } from './in-force.ts';
import { serverFor } from './sessions.ts';
import { isWeb, openWebDoor } from './web.ts';

/** Rejects with the first thing that cannot be had, everything before it undone: an Error that names a file. */
export async function makeEdition(config: Config, lasting: Lasting, inForce: InForce): Promise<Edition> {
  await using atOnce = new AsyncDisposableStack();
  await using afterDeliveries = new AsyncDisposableStack();
  await using afterSessions = new AsyncDisposableStack();
  const { clock, log, queue, defence, ticketKeys, counting } = lasting;
  if (config.listeners.some(isWeb)) await counting.begin();
  await warnOfLostPolicies(lasting, config);
  await warnOfLostDomains(lasting, config);
  const certificates = await openCertificates(
    { config, log, clock, ticketKeys, onFailure: (error) => counting.handshakeFailed('in', error) },
    atOnce,
  );
  const made = { ...lasting, config, signers: await loadSigners(config, clock) };
  const resolver = await createResolver(config, clock, { log, onLookUp: counting.onLookUp });
  const acme = certificates && (await openAcme({ config, log, clock, resolver, certificates }, atOnce));
  const https = await createHttps(config, resolver, clock);
  const offer = (mail: OfferedMail) => inForce.edition.inbox?.offer(mail);
  const reporting = { ...made, resolver, https, queue, offer };
  const tlsReports = await openTlsReports(reporting);
  atOnce.defer(() => tlsReports?.stop());
  const dmarcReports = await openDmarcReports(reporting);
  atOnce.defer(() => dmarcReports?.stop());
  const guard = await startGuard(made, atOnce);
  const tls = createTls(config, { ...made, resolver, https, onTlsResult: tlsReports?.onResult });
  const core = { ...made, resolver, guard };
  afterDeliveries.defer(() => tls.sts.close());
  await tls.sts.start();
  const sending = await openSending({ ...core, tls }, afterDeliveries);
  const complaints = await Complaints.read({ ...core, enabled: config.reports.abuse });
  const reception: Reception = { ...core, complaints };
  const admin = await openOperations({ ...reception, tls, certificates, acme }, atOnce);
  const inbox = startReportInbox(reception, atOnce);
  const { judging, stop } = createJudging(core);
  afterSessions.defer(stop);
  const sessions = new UnderWay();
  afterSessions.defer(() => sessions.over());
  const filters = await createFilters(reception);
  const doorParts = { ...doorPartsOf(reception), filters, reports: { offer }, dmarcReports };
  const serve = serverFor({
    ...core,
    ...defence,
    logins: await openLogins({
      ...{ ...core, ...defence, https, settings: config.login, oauth: config.oauth },
      onLogin: (outcome) => counting.metrics?.sessions.login(outcome),
    }),
    certificates,
    doors: {
      smtp: inboundDoor({ ...doorParts, judging }),
      submission: submissionDoor(doorParts),
      lmtp: lmtpDoor({ ...doorParts, judging }),
    },
  });
  const web = await openWebDoor(
    { ...core, certificates, challengeResponse: (token) => acme?.respondTo(token) },
    atOnce,
  );
  for (const words of await warningsOfSecrets(config)) log.warn(words);
  const kept = [atOnce, afterDeliveries, afterSessions].map((stack) => stack.move());
  return {
    intake: { ...doorParts, config, store: lasting.store, nextQueueId: core.nextQueueId },
    ...{ config, certificates, acme, web, sending, admin, inbox, report: reportPartsOf(core) },
    serve(incoming) {
      const session = serve(incoming);
      void sessions.during(session.closed);
      counting.metrics?.sessions.began(incoming.listener.protocol, session.closed);
      return session;
    },
    retire: async () => void (await Promise.all(kept.map((stack) => stack.disposeAsync()))),
  };
}

function startReportInbox(reception: Reception, parts: AsyncDisposableStack): ReportInbox | undefined {
  const inbox = openReportInbox(reception);
  parts.defer(() => inbox?.stop());
  inbox?.start();
  return inbox;
}
