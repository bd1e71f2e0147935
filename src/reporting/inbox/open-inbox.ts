/** The reports' inbox from the configuration: whether there is any, and what it knows of our own mail. */

import type { Config } from '../../config/config.ts';
import type { Resolver } from '../../dns/resolver.ts';
import { type Complaints, tokenField } from '../../queue/complaints.ts';
import type { Directory } from '../../queue/directory.ts';
import type { Suppressions } from '../../queue/suppressions.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { followComplaint } from './complaint.ts';
import { OwnAddresses } from './own-addresses.ts';
import { createReportReader } from './reader.ts';
import { ReportInbox } from './report-inbox.ts';

export interface OpenInboxParts {
  config: Config;
  log: Log;
  clock: Clock;
  store: Store;
  resolver: Resolver;
  complaints: Complaints;
  suppressions: Suppressions;
  directory: Pick<Directory, 'isLocal'>;
}

const dayMs = 24 * 3600_000;

/** Undefined where reports are not to be read. */
export function openReportInbox({ config, resolver, ...parts }: OpenInboxParts): ReportInbox | undefined {
  const { reports } = config;
  if (!reports.read || config.domains.length === 0) return undefined;
  const { clock, log, directory } = parts;
  const following = { ...parts, isLocal: (domain: string) => directory.isLocal(domain) };
  const domains = config.domains.map(({ name }) => name);
  return new ReportInbox({
    ...parts,
    reader: createReportReader({ clock, tokenField }),
    addresses: new OwnAddresses({ resolver, clock, log, domains, configured: reports.mailboxes }),
    keptMs: reports.days * dayMs,
    isOurs: (domain) => domains.some((ours) => isWithin(domain, ours) || isWithin(ours, domain)),
    onAbuse: (report, facts) => followComplaint(following, report, facts),
  });
}

const isWithin = (domain: string, above: string): boolean => domain === above || domain.endsWith(`.${above}`);
