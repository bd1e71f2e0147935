/**
 * The machine-readable part of a report: message/delivery-status (RFC 3464), in ASCII whatever the input; or
 * message/global-delivery-status (RFC 6533), in UTF-8, where an address is not ASCII.
 */

import { formatDate } from '../mail/date.ts';
import type { Reply } from '../smtp/reply.ts';
import {
  type DelayedRecipient,
  diagnosticLines,
  type FailedRecipient,
  type NamedRecipient,
  oneLine,
} from './failure.ts';
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

/** RFC 5322 §2.1.1 allows 998 octets; the rest is for the field's name. */
const maxTextOctets = 900;

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** RFC 3464 §2.1.1 takes ASCII only; what else a server said stands in the part for people. */
const ascii = (text: string): string =>
  oneLine(text)
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, maxTextOctets);

/** RFC 6533 §6. Cut where a character begins. */
function utf8(text: string): string {
  const octets = Buffer.from(oneLine(text));
  let end = Math.min(octets.length, maxTextOctets);
  while (end < octets.length && ((octets[end] ?? 0) & 0xc0) === 0x80) end--;
  return octets.toString('utf8', 0, end);
}

type Text = (text: string) => string;

/** Of one report: UTF-8 as soon as one of the addresses needs it. */
function textFor(recipients: readonly NamedRecipient[]): Text {
  const isPlain = ({ recipient, originalRecipient = '', orcpt }: NamedRecipient) =>
    isAscii(recipient + originalRecipient + (orcpt?.address ?? ''));
  return recipients.every(isPlain) ? ascii : utf8;
}

/** RFC 3464 §2.3.2, RFC 6533 §3. */
const typedAddress = (address: string, text: Text): string =>
  isAscii(address) ? `rfc822;${address}` : `utf-8;${text(address)}`;

const smtpDiagnostic = (reply: Reply, text: Text): string =>
  `Diagnostic-Code: smtp; ${diagnosticLines(reply).map(text).join('\r\n ')}`;

type Trouble = Pick<
  FailedRecipient,
  keyof NamedRecipient | 'status' | 'reason' | 'endpoint' | 'reply' | 'lastAttemptAt'
>;

/** RFC 3464 §2.3.6. A reply's lines are folded, one each; without a reply there is nothing of type smtp to tell. */
function diagnosticFields({ reply, endpoint, reason }: Trouble, text: Text): string[] {
  if (reply === undefined) return [`Diagnostic-Code: x-posthorn; ${text(reason)}`];
  const code = smtpDiagnostic(reply, text);
  return endpoint === undefined ? [code] : [`Remote-MTA: dns; ${ascii(endpoint.host)}`, code];
}

/** Original-Recipient is what ORCPT said, and only that (RFC 3461 §6.3 d); whom an alias stood for is a field of ours. */
function recipientNames({ recipient, originalRecipient, orcpt }: NamedRecipient, text: Text): string[] {
  return [
    ...(orcpt === undefined ? [] : [`Original-Recipient: ${orcpt.type};${text(orcpt.address)}`]),
    `Final-Recipient: ${typedAddress(recipient, text)}`,
    ...(originalRecipient === undefined
      ? []
      : [`X-Posthorn-Alias: ${typedAddress(originalRecipient, text)}`]),
  ];
}

/** In the order of RFC 3464 §2.3. A status of 4.y.z stays what the last attempt said, although we gave up (§2.3.4). */
function troubleFields(trouble: Trouble, action: 'failed' | 'delayed', text: Text): string[] {
  const { status, lastAttemptAt } = trouble;
  return [
    ...recipientNames(trouble, text),
    `Action: ${action}`,
    `Status: ${ascii(status)}`,
    ...diagnosticFields(trouble, text),
    `Last-Attempt-Date: ${formatDate(lastAttemptAt)}`,
  ];
}

function reachedFields(reached: ReachedRecipient, text: Text): string[] {
  const { action, endpoint, reply, at } = reached;
  return [
    ...recipientNames(reached, text),
    `Action: ${action}`,
    `Status: ${reply?.enhanced ?? '2.0.0'}`,
    ...(endpoint === undefined ? [] : [`Remote-MTA: dns; ${ascii(endpoint.host)}`]),
    ...(reply === undefined ? [] : [smtpDiagnostic(reply, text)]),
    `Last-Attempt-Date: ${formatDate(at)}`,
  ];
}

/**
 * The part's body: a group of fields about the message, then one for each recipient, blank lines between. A recipient of
 * whom nobody knows whether the message arrived is `failed`, too: it is the one action of RFC 3464 §2.3.3 by which we
 * say that we have given up and nothing more will be heard, and each of the others claims more than we know.
 */
export function deliveryStatus(message: ReportedMessage, failures: readonly FailedRecipient[]): string {
  const text = textFor(failures);
  return statusOf(
    message,
    failures.map((failure) => troubleFields(failure, 'failed', text)),
  );
}

/** The same for recipients whose message is tried again. */
export function delayStatus(message: ReportedMessage, delays: readonly DelayedRecipient[]): string {
  const text = textFor(delays);
  const fields = (delay: DelayedRecipient) => [
    ...troubleFields(delay, 'delayed', text),
    `Will-Retry-Until: ${formatDate(delay.willRetryUntil)}`,
  ];
  return statusOf(message, delays.map(fields));
}

/** The same for recipients who were reached. */
export function successStatus(message: ReportedMessage, reached: readonly ReachedRecipient[]): string {
  const text = textFor(reached);
  return statusOf(
    message,
    reached.map((each) => reachedFields(each, text)),
  );
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
