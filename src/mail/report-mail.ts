/** A report for programs as mail for them and for people: a few sentences, and the report compressed and attached. */

import { createHash } from 'node:crypto';
import { formatDate } from './date.ts';
import { foldField } from './fold.ts';

export interface ReportMailParts {
  /** `user@domain`: who is answered. */
  from: string;
  to: string;
  /** Words between which a fold is harmless. */
  subject: readonly string[];
  /** Milliseconds since the epoch. */
  now: number;
  /** With its angle brackets. */
  messageId: string;
  /** Of the whole: `multipart/report; report-type="tlsrpt"`, in words, without the boundary. */
  type: readonly string[];
  /** More fields, complete, with their line ends. */
  fields?: readonly string[];
  /** US-ASCII, lines without their ends. */
  text: readonly string[];
  attachment: { type: string; name: string; octets: Buffer };
}

/** The complete message, CRLF line ends, 7bit. */
export function composeReport(mail: ReportMailParts): Buffer {
  const { from, to, subject, now, messageId, type, fields = [], text, attachment } = mail;
  const digest = createHash('sha256').update(attachment.octets).update(messageId).digest('hex');
  const boundary = `=_${digest.slice(0, 32)}`;
  const header = [
    foldField('From', [`<${from}>`]),
    foldField('To', [`<${to}>`]),
    foldField('Subject', subject),
    foldField('Date', [formatDate(now)]),
    foldField('Message-ID', [messageId]),
    ...fields,
    foldField('Auto-Submitted', ['auto-generated']),
    foldField('MIME-Version', ['1.0']),
    foldField('Content-Type', [...type, `boundary="${boundary}"`]),
  ];
  const parts = [textPart(text), attachedPart(attachment)].map((part) => `--${boundary}\r\n${part}\r\n`);
  return Buffer.from(`${header.join('')}\r\n${parts.join('')}--${boundary}--\r\n`);
}

const textPart = (lines: readonly string[]): string =>
  `Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n${lines.join('\r\n')}\r\n`;

function attachedPart({ type, name, octets }: ReportMailParts['attachment']): string {
  const header = [
    `Content-Type: ${type}\r\n`,
    'Content-Transfer-Encoding: base64\r\n',
    foldField('Content-Disposition', ['attachment;', `filename="${name}"`]),
  ].join('');
  return `${header}\r\n${octets.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n')}`;
}
