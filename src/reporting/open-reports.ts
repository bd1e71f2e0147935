/** Reports to other domains from the configuration: whether there are any, and in whose name. */

import type { DkimSigner } from '../authentication/dkim-sign.ts';
import type { Config } from '../config/config.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Https } from '../net/https.ts';
import type { Directory } from '../queue/directory.ts';
import type { Queue } from '../queue/queue.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { httpsCarrier, mailCarrier } from './carriers.ts';
import { type DmarcReports, dmarcTallies, startDmarcReports } from './dmarc-reports.ts';
import type { OfferedMail } from './inbox/report-inbox.ts';
import type { TalliesParts } from './tallies.ts';
import { startTlsReports, type TlsReports, tlsTallies } from './tls-reports.ts';

/** What is counted for reports; it outlives a reload. */
export interface ReportTallies {
  tls: ReturnType<typeof tlsTallies>;
  dmarc: ReturnType<typeof dmarcTallies>;
}

export const reportTallies = (parts: TalliesParts): ReportTallies => ({
  tls: tlsTallies(parts),
  dmarc: dmarcTallies(parts),
});

export interface OpenParts {
  config: Config;
  log: Log;
  clock: Clock;
  store: Store;
  /** By domain. */
  signers: ReadonlyMap<string, DkimSigner>;
  directory: Directory;
  resolver: Resolver;
  https: Https;
  queue: Pick<Queue, 'accept'>;
  nextQueueId(): string;
  tallies: ReportTallies;
  /** Takes reports to ourselves. */
  offer: (mail: OfferedMail) => Promise<void> | undefined;
}

/** Undefined where reports are switched off, or could not be signed: then nothing is counted. */
export async function openTlsReports(parts: OpenParts): Promise<TlsReports | undefined> {
  const reporter = reporterOf(parts);
  return parts.config.reports.tls && reporter
    ? startTlsReports({ ...parts, ...reporter, tallies: parts.tallies.tls })
    : undefined;
}

/** As openTlsReports(). */
export async function openDmarcReports(parts: OpenParts): Promise<DmarcReports | undefined> {
  const reporter = reporterOf(parts);
  const { dmarc, dmarcExcept: except } = parts.config.reports;
  return dmarc && reporter
    ? startDmarcReports({ ...parts, ...reporter, except, tallies: parts.tallies.dmarc })
    : undefined;
}

/** Who reports, and how it gets there. */
function reporterOf(parts: OpenParts) {
  const { config, signers, https } = parts;
  const { reports, hostname, dossier } = config;
  const contact = reports.contact ?? defaultContact(config);
  const domain = contact?.slice(contact.lastIndexOf('@') + 1);
  const signer = domain === undefined ? undefined : signers.get(domain);
  if (contact === undefined || signer === undefined) return undefined;
  return {
    organization: reports.organization ?? signer.domain,
    contact,
    submitter: signer.domain,
    carriers: {
      mailto: mailCarrier({ ...parts, signer, hostname, dossiers: dossier.enabled }),
      https: httpsCarrier(https),
    },
  };
}

function defaultContact({ domains }: Config): string | undefined {
  const signed = domains.find(({ dkim }) => dkim !== undefined);
  return signed && `postmaster@${signed.name}`;
}
