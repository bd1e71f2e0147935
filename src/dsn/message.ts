/** The header fields that all our reports have in common (RFC 5322; RFC 3834 §5 against loops of automata). */

import { formatDate } from '../mail/date.ts';
import { foldField } from '../mail/fold.ts';
import { oneLine } from './failure.ts';

export interface ReportHeader {
  /** `user@domain` of ours, where a person reads what is answered (RFC 3464 §2). */
  from: string;
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
export function reportHeader({ from, to, subject, autoSubmitted, now, messageId }: ReportHeader): string {
  return [
    foldField('From', ['Mail Delivery System', `<${from}>`]),
    foldField('To', [`<${oneLine(to)}>`]),
    foldField('Subject', subject.split(' ')),
    foldField('Date', [formatDate(now)]),
    foldField('Message-ID', [messageId]),
    foldField('Auto-Submitted', [autoSubmitted]),
    foldField('MIME-Version', ['1.0']),
  ].join('');
}
