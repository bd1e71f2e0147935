/** A DMARC report as mail (RFC 9990 §3.5.3): whoever sends it signs it, so that it passes DMARC itself. */

import { composeReport } from '../mail/report-mail.ts';

export interface AggregateMail {
  /** `user@domain`: who is answered. */
  from: string;
  to: string;
  /** In whose name it is reported, A-labels. */
  submitter: string;
  /** The policy domain, A-labels. */
  domain: string;
  /** Of the report; letters and digits. */
  reportId: string;
  /** Seconds since the epoch: the first and the last of the period. */
  begin: number;
  end: number;
  /** UTC, `2026-11-27`. */
  day: string;
  messages: number;
  /** The XML, compressed. */
  gzip: Buffer;
  /** Milliseconds since the epoch. */
  now: number;
  /** Of this message, with its angle brackets. */
  messageId: string;
}

/** The complete message, CRLF line ends, 7bit. */
export function composeAggregateMail(mail: AggregateMail): Buffer {
  const { from, to, submitter, domain, reportId, day, messages, gzip, now, messageId } = mail;
  return composeReport({
    from,
    to,
    now,
    messageId,
    subject: ['Report Domain:', domain, 'Submitter:', submitter, 'Report-ID:', reportId],
    type: ['multipart/mixed;'],
    text: [
      `This is a DMARC aggregate report from ${submitter}`,
      `on ${day} (UTC), about ${messages} messages in the name of ${domain}`,
      'and of domains below it.',
      '',
      'The attachment has the details, for programs (RFC 9990). You get it',
      `because the DNS record _dmarc.${domain} asks for it.`,
    ],
    attachment: { type: 'application/gzip', name: aggregateFileName(mail), octets: gzip },
  });
}

/** RFC 9990 §3.5.3. */
function aggregateFileName({
  submitter,
  domain,
  begin,
  end,
  reportId,
}: Pick<AggregateMail, 'submitter' | 'domain' | 'begin' | 'end' | 'reportId'>): string {
  return `${submitter}!${domain}!${begin}!${end}!${reportId}.xml.gz`;
}
