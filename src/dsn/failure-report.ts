/**
 * The report to a sender whose message could not be delivered (RFC 3464, RFC 6533). Sent from the null sender, which is
 * the caller's part, and never about a message that came from it (RFC 5321 §6.1).
 */

import { deliveryStatus, type ReportedMessage } from './delivery-status.ts';
import type { FailedRecipient } from './failure.ts';
import { failureText, isInDoubt } from './failure-text.ts';
import { composeReport, type Original, recipientsInSubject, subjectOf } from './report.ts';

export interface FailureReport extends ReportedMessage, Original {
  /** Our address, where a person reads what is answered. */
  from: string;
  /** The reverse-path of the message, `user@domain`, never the null sender. */
  sender: string;
  failures: readonly FailedRecipient[];
  /** Milliseconds since the epoch. */
  now: number;
  /** Of the report, with its angle brackets. */
  messageId: string;
}

const verdictOf = (failures: readonly FailedRecipient[]): string =>
  isInDoubt(failures) ? 'Perhaps undelivered' : 'Undelivered';

/** The complete message, CRLF line ends, lines of at most 998 octets, ASCII but for a sender that is not. */
export function composeFailureReport(report: FailureReport): Buffer {
  const subject = subjectOf(report);
  return composeReport({
    ...report,
    subject: `${verdictOf(report.failures)}: your message to ${recipientsInSubject(report.failures)}`,
    text: failureText(subject === undefined ? report : { ...report, subject }),
    status: deliveryStatus(report, report.failures),
    original: report,
  });
}
