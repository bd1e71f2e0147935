/** The machine-readable part of a failure report: message/delivery-status (RFC 3464), in ASCII whatever the input. */

import { formatDate } from '../mail/date.ts';
import type { Reply } from '../smtp/reply.ts';
import { diagnosticLines, type FailedRecipient, type NamedRecipient, oneLine } from './failure.ts';
import type { ReachedRecipient } from './success.ts';

export interface ReportedMessage {
  /** Our own name. */
  hostname: string;
  queueId: string;
  /** Milliseconds since the epoch. */
  arrivedAt: number;
  /** The sender's own name for this sending (ENVID, RFC 3461 §4.4), decoded. */
  envid?: string;
}

/** RFC 5322 §2.1.1 allows 998; the rest is for the field's name. */
const maxDiagnosticLength = 900;

/** RFC 3464 §2.1.1 takes ASCII only; what else a server said stands in the part for people. */
function ascii(text: string): string {
  return oneLine(text)
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, maxDiagnosticLength);
}

/** `rfc822;user@domain`, or for UTF-8 the `utf-8;` type with its escapes for a 7-bit part (RFC 6533 §3). */
function typedAddress(address: string): string {
  if (/^[\x20-\x7e]*$/.test(address)) return `rfc822;${address}`;
  const xtext = (character: string) => `\\x{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
  return `utf-8;${address.replace(/[^\x21-\x7e]|[\\+=]/gu, xtext)}`;
}

const smtpDiagnostic = (reply: Reply): string =>
  `Diagnostic-Code: smtp; ${diagnosticLines(reply).map(ascii).join('\r\n ')}`;

/** RFC 3464 §2.3.6. A reply's lines are folded, one each; without a reply there is nothing of type smtp to tell. */
function diagnosticFields({ reply, endpoint, reason }: FailedRecipient): string[] {
  if (reply === undefined) return [`Diagnostic-Code: x-posthorn; ${ascii(reason)}`];
  const code = smtpDiagnostic(reply);
  return endpoint === undefined ? [code] : [`Remote-MTA: dns; ${ascii(endpoint.host)}`, code];
}

/** Original-Recipient is what ORCPT said, and only that (RFC 3461 §6.3 d); whom an alias stood for is a field of ours. */
function recipientNames({ recipient, originalRecipient, orcpt }: NamedRecipient): string[] {
  return [
    ...(orcpt === undefined ? [] : [`Original-Recipient: ${orcpt.type};${ascii(orcpt.address)}`]),
    `Final-Recipient: ${typedAddress(recipient)}`,
    ...(originalRecipient === undefined ? [] : [`X-Posthorn-Alias: ${typedAddress(originalRecipient)}`]),
  ];
}

/** In the order of RFC 3464 §2.3. A status of 4.y.z stays what the last attempt said, although we gave up (§2.3.4). */
function recipientFields(failure: FailedRecipient): string[] {
  const { status, lastAttemptAt } = failure;
  return [
    ...recipientNames(failure),
    'Action: failed',
    `Status: ${ascii(status)}`,
    ...diagnosticFields(failure),
    `Last-Attempt-Date: ${formatDate(lastAttemptAt)}`,
  ];
}

function reachedFields(reached: ReachedRecipient): string[] {
  const { action, endpoint, reply, at } = reached;
  return [
    ...recipientNames(reached),
    `Action: ${action}`,
    `Status: ${reply?.enhanced ?? '2.0.0'}`,
    ...(endpoint === undefined ? [] : [`Remote-MTA: dns; ${ascii(endpoint.host)}`]),
    ...(reply === undefined ? [] : [smtpDiagnostic(reply)]),
    `Last-Attempt-Date: ${formatDate(at)}`,
  ];
}

/** The part's body: a group of fields about the message, then one for each recipient, blank lines between. */
export function deliveryStatus(message: ReportedMessage, failures: readonly FailedRecipient[]): string {
  return statusOf(message, failures.map(recipientFields));
}

/** The same for recipients who were reached. */
export function successStatus(message: ReportedMessage, reached: readonly ReachedRecipient[]): string {
  return statusOf(message, reached.map(reachedFields));
}

function statusOf(message: ReportedMessage, recipients: readonly string[][]): string {
  const messageFields = [
    ...(message.envid === undefined ? [] : [`Original-Envelope-Id: ${ascii(message.envid)}`]),
    `Reporting-MTA: dns; ${message.hostname}`,
    `Arrival-Date: ${formatDate(message.arrivedAt)}`,
    `X-Posthorn-Queue-ID: ${message.queueId}`,
  ];
  return [messageFields, ...recipients].map((group) => `${group.join('\r\n')}\r\n`).join('\r\n');
}
