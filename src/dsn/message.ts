/** The header fields that all our reports have in common (RFC 5322; RFC 3834 §5 against loops of automata). */

import { formatDate } from '../mail/date.ts';
import { foldField } from '../mail/fold.ts';
import { oneLine } from './failure.ts';

export interface ReportHeader {
  /** Our own name. */
  hostname: string;
  /** `user@domain`. */
  to: string;
  /** In ASCII. */
  subject: string;
  /** `auto-replied` answers a message of the recipient's, `auto-generated` comes of itself. */
  autoSubmitted: 'auto-replied' | 'auto-generated';
  /** Milliseconds since the epoch. */
  now: number;
  /** With its angle brackets. */
  messageId: string;
}

/** All fields but those of the content's type; CRLF line ends. */
export function reportHeader({ hostname, to, subject, autoSubmitted, now, messageId }: ReportHeader): string {
  return [
    foldField('From', ['Mail Delivery System', `<MAILER-DAEMON@${hostname}>`]),
    foldField('To', [`<${oneLine(to)}>`]),
    foldField('Subject', subject.split(' ')),
    foldField('Date', [formatDate(now)]),
    foldField('Message-ID', [messageId]),
    foldField('Auto-Submitted', [autoSubmitted]),
    foldField('MIME-Version', ['1.0']),
  ].join('');
}
