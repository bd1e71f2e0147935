/**
 * A report as mail (RFC 8460 §5.3): multipart/report of a sentence for people and the compressed JSON for programs.
 * Whoever sends it signs it: without DKIM it is ignored (§3).
 */

import { foldField } from '../mail/fold.ts';
import { composeReport } from '../mail/report-mail.ts';
import { rangeOf } from './report.ts';

export interface ReportMail {
  /** `user@domain`: who is answered. */
  from: string;
  to: string;
  /** In whose name it is reported, A-labels. */
  submitter: string;
  /** About whose TLS, A-labels. */
  domain: string;
  /** A UTC day, `2026-11-27`. */
  day: string;
  /** Of the report, the same by whichever way it is sent; letters and digits. */
  reportId: string;
  /** The JSON, compressed. */
  gzip: Buffer;
  sessions: { successes: number; failures: number };
  /** Milliseconds since the epoch. */
  now: number;
  /** Of this message, with its angle brackets. */
  messageId: string;
}

/** The complete message, CRLF line ends, 7bit. */
export function composeReportMail(mail: ReportMail): Buffer {
  const { from, to, submitter, domain, day, reportId, gzip, sessions, now, messageId } = mail;
  const { successes, failures } = sessions;
  return composeReport({
    from,
    to,
    now,
    messageId,
    subject: ['Report Domain:', domain, 'Submitter:', submitter, `Report-ID: <${reportId}@${submitter}>`],
    type: ['multipart/report;', 'report-type="tlsrpt";'],
    fields: [
      foldField('TLS-Report-Domain', [domain]),
      foldField('TLS-Report-Submitter', [submitter]),
      // For the hops behind us as for ourselves: what is reported must not hold up the report (RFC 8460 §5.3.1, RFC 8689 §3).
      foldField('TLS-Required', ['No']),
    ],
    text: [
      `This is an aggregate TLS report from ${submitter}`,
      `about connections to the mail servers of ${domain}`,
      `on ${day} (UTC): ${successes} as they should be, ${failures} not.`,
      '',
      'The attachment has the details, for programs (RFC 8460). You get it',
      `because the DNS record _smtp._tls.${domain} asks for it.`,
    ],
    attachment: { type: 'application/tlsrpt+gzip', name: reportFileName(mail), octets: gzip },
  });
}

/** RFC 8460 §5.1. */
export function reportFileName({
  submitter,
  domain,
  day,
  reportId,
}: Pick<ReportMail, 'submitter' | 'domain' | 'day' | 'reportId'>): string {
  const { begin, end } = rangeOf(day);
  return `${submitter}!${domain}!${begin}!${end}!${reportId}.json.gz`;
}
