/**
 * DMARC aggregate reports (RFC 9990): the domains in whose name mail comes in are told each day what we have seen of it, if
 * they ask for that. No failure reports: they would hold what is in somebody's mail.
 */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { composeAggregateMail } from '../dmarc-rpt/message.ts';
import { addMessage, type DmarcTally, emptyTally, messagesIn } from '../dmarc-rpt/tally.ts';
import { writeAggregateReport } from '../dmarc-rpt/write.ts';
import type { Resolver } from '../dns/resolver.ts';
import { rangeOf } from '../tls-rpt/report.ts';
import { type DayReportsParts, startDayReports } from './day-reports.ts';
import { reportable, type SeenMessage } from './dmarc-message.ts';
import { dmarcTargets } from './dmarc-targets.ts';
import { type DayKind, type DomainDay, dayAt } from './domain-day.ts';
import { Tallies, type TalliesParts } from './tallies.ts';

export interface DmarcReportsParts extends DayReportsParts {
  resolver: Resolver;
  /** Who reports, for people; whom to ask; in whose name it is signed. */
  organization: string;
  contact: string;
  submitter: string;
  /** Domains that are told nothing, with all below them. */
  except: readonly string[];
  /** Default: `maxRowsPerDay`. */
  maxRows?: number;
  tallies?: Tallies<DmarcTally>;
}

export interface DmarcReports {
  /** Counts a message. Neither throws nor waits. */
  note(seen: SeenMessage): void;
  /** Writes the counts; what is being sent is broken off. */
  stop(): Promise<void>;
}

export const memoKind = 'dmarc-rpt';
const names = 'DMARC reports';
/** Rows of all domains of a day together, each of some 300 octets. */
export const maxRowsPerDay = 50_000;

export const dmarcTallies = (parts: TalliesParts) => new Tallies<DmarcTally>(parts, { memoKind, names });

const compress = promisify(gzip);

export async function startDmarcReports(parts: DmarcReportsParts): Promise<DmarcReports> {
  const reports = await startDayReports(parts, dmarcKind(parts), parts.tallies);
  const isExcepted = (domain: string) =>
    parts.except.some((each) => domain === each || domain.endsWith(`.${each}`));
  const { maxRows = maxRowsPerDay } = parts;
  let rows = { day: '', count: 0 };
  return {
    note(seen) {
      const day = dayAt(parts.clock.now());
      if (rows.day !== day) rows = { day, count: 0 };
      const found = reportable(seen);
      if (found === undefined || isExcepted(found.domain)) return;
      const { domain, policy, message } = found;
      reports.count(domain, {
        begin: () => emptyTally(policy),
        add(tally) {
          const hasRoom = rows.count < maxRows;
          if (addMessage(tally, { policy, message, hasRoom })) rows.count += 1;
          return true;
        },
      });
    },
    stop: () => reports.stop(),
  };
}

function dmarcKind({ resolver, ...parts }: DmarcReportsParts): DayKind<DmarcTally> {
  return {
    memoKind,
    name: 'DMARC report',
    names,
    findTargets: ({ domain }, signal) => dmarcTargets(resolver, domain, signal),
    compose: (day, reportId) => compose(parts, day, reportId),
    factsOf: (tally) => ({ messages: messagesIn(tally) }),
    eventOf: ({ domain, day, tally }, { queueId, uri }, { at, ...given }) => ({
      at,
      queueId,
      event: 'dmarcReported',
      data: { uri, domain, day, messages: messagesIn(tally), ...given },
    }),
  };
}

type Reporter = Pick<DmarcReportsParts, 'organization' | 'contact' | 'submitter'>;

async function compose(
  { organization, contact, submitter }: Reporter,
  { domain, day, tally }: DomainDay<DmarcTally>,
  reportId: string,
) {
  const { policy, rows: records, left } = tally;
  const { begin, end } = rangeOf(day);
  const errors = left === 0 ? [] : [`${left} messages are left out: there are too many sources`];
  const xml = writeAggregateReport({
    organization,
    email: contact,
    reportId,
    beginsAt: begin * 1000,
    endsAt: end * 1000,
    policy,
    errors,
    records,
    generator: 'Posthorn',
  });
  const report = {
    domain,
    day,
    reportId,
    begin,
    end,
    messages: messagesIn(tally),
    gzip: await compress(xml),
  };
  return {
    gzip: report.gzip,
    type: 'application/gzip',
    mail: (to: { to: string; now: number; messageId: string }) =>
      composeAggregateMail({ ...report, ...to, from: contact, submitter }),
  };
}
