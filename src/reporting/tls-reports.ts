/** Reports on TLS (RFC 8460): each domain that mail goes to is told how its servers were found, if it asks for that. */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Resolver } from '../dns/resolver.ts';
import { composeReportMail } from '../tls-rpt/message.ts';
import { readReportUris } from '../tls-rpt/record.ts';
import { tlsReport } from '../tls-rpt/report.ts';
import type { OnTlsResult } from '../tls-rpt/result.ts';
import { addResult, type DomainTally, emptyTally, sumOf } from '../tls-rpt/tally.ts';
import { type DayReportsParts, startDayReports } from './day-reports.ts';
import type { DayKind } from './domain-day.ts';
import { Tallies, type TalliesParts } from './tallies.ts';

export interface TlsReportsParts extends DayReportsParts {
  resolver: Resolver;
  /** Who reports, for people; whom to ask; in whose name it is signed. */
  organization: string;
  contact: string;
  submitter: string;
  tallies?: Tallies<DomainTally>;
}

export interface TlsReports {
  readonly onResult: OnTlsResult;
  /** Writes the counts; what is being sent is broken off. */
  stop(): Promise<void>;
}

export const memoKind = 'tls-rpt';
const names = 'TLS reports';

export const tlsTallies = (parts: TalliesParts) => new Tallies<DomainTally>(parts, { memoKind, names });

const compress = promisify(gzip);

export async function startTlsReports(parts: TlsReportsParts): Promise<TlsReports> {
  const reports = await startDayReports(parts, tlsKind(parts), parts.tallies);
  return {
    onResult: (result) =>
      reports.count(result.domain, { begin: emptyTally, add: (tally) => addResult(tally, result) }),
    stop: () => reports.stop(),
  };
}

function tlsKind({ resolver, organization, contact, submitter }: TlsReportsParts): DayKind<DomainTally> {
  return {
    memoKind,
    name: 'TLS report',
    names,
    async findTargets({ domain }, signal) {
      const answer = await resolver.resolve(`_smtp._tls.${domain}`, 'TXT', signal);
      if (answer.status === 'failed') return undefined;
      const texts = answer.status === 'found' ? answer.records.map((strings) => strings.join('')) : [];
      return readReportUris(texts).map((uri) => ({ uri }));
    },
    async compose({ domain, day, tally }, reportId) {
      const json = JSON.stringify(tlsReport({ organization, contact, reportId, day, tally }));
      const report = { domain, day, reportId, sessions: sumOf(tally), gzip: await compress(json) };
      return {
        gzip: report.gzip,
        type: 'application/tlsrpt+gzip',
        mail: (to) => composeReportMail({ ...report, ...to, from: contact, submitter }),
        // What is reported must not hold up the report (RFC 8460 §5.3.1).
        requests: { tlsOptional: true },
      };
    },
    factsOf: sumOf,
    eventOf: ({ domain, day, tally }, { queueId, uri }, { at, ...given }) => ({
      at,
      queueId,
      event: 'tlsReported',
      data: { uri, domain, day, ...sumOf(tally), ...given },
    }),
  };
}
