/**
 * Who is told that a message could not be delivered: the sender by a report (RFC 3464), the postmaster by a notice
 * without content. Both are messages like any other: they go through the queue, from the null sender; but nobody is
 * told about them in turn. A sender who may be forged, or is null, is never told (RFC 5321 §6.1, §6.2).
 */

import type { DkimSigner } from '../authentication/dkim-sign.ts';
import { signMessage } from '../authentication/sign-message.ts';
import type { DossierEvent } from '../dossier/event.ts';
import type { FailedRecipient } from '../dsn/failure.ts';
import { composeFailureReport } from '../dsn/failure-report.ts';
import { composePostmasterNotice } from '../dsn/postmaster-notice.ts';
import { formatAddress, needsSmtputf8, parseAddress } from '../mail/address.ts';
import { findHeaderEnd } from '../mail/header.ts';
import type { Directory, Recipient } from '../queue/directory.ts';
import { newEntry } from '../queue/entry.ts';
import { readContent } from '../store/content.ts';
import { errorCode } from '../store/errors.ts';
import type { Content, MessageRow, NewMessage } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';

export interface ReportParts {
  hostname: string;
  directory: Directory;
  signers: ReadonlyMap<string, DkimSigner>;
  nextQueueId(): string;
  clock: Clock;
  /** How long the delivery of a report may take, in ms. */
  lifetimeMs?: number;
}

export interface Reports {
  entries: Omit<NewMessage, 'claimed'>[];
  /** For the dossier of the message that failed. */
  events: DossierEvent[];
}

/** Octets of the failed message that are read for its header. */
const headerBytes = 64 * 1024;

/** The messages that these failures give rise to; none for what is itself a report of ours. */
export async function reportsFor(
  parts: ReportParts,
  message: MessageRow,
  failures: readonly FailedRecipient[],
): Promise<Reports> {
  if (failures.length === 0 || message.failuresTo === 'nobody') return { entries: [], events: [] };
  const told = await factsToTell(parts, message, failures);
  const sent = [
    ...(told.untold === undefined ? [await tellSender(parts, message, told)] : []),
    await tellPostmaster(parts, told),
  ];
  return { entries: sent.flatMap(({ entries }) => entries), events: sent.flatMap(({ events }) => events) };
}

/** What a report and a notice have in common. */
interface Told {
  hostname: string;
  queueId: string;
  arrivedAt: number;
  /** With its domain in A-labels. */
  sender: string;
  failures: readonly FailedRecipient[];
  now: number;
  /** Why the sender is not told. */
  untold?: string;
}

async function factsToTell(
  { hostname, directory, clock }: ReportParts,
  { queueId, acceptedAt, reversePath, failuresTo }: MessageRow,
  failures: readonly FailedRecipient[],
): Promise<Told> {
  const address = parseAddress(reversePath);
  const sender = address ? formatAddress(address) : reversePath;
  const untold = await reasonNotToTell(directory, sender, failuresTo);
  const told = { hostname, queueId, arrivedAt: acceptedAt, sender, failures, now: clock.now() };
  return untold === undefined ? told : { ...told, untold };
}

async function reasonNotToTell(
  directory: Directory,
  sender: string,
  failuresTo: MessageRow['failuresTo'],
): Promise<string | undefined> {
  if (sender === '') return 'it is the null sender, which takes no answers';
  if (failuresTo !== 'sender') return 'nothing proves that the message came from there';
  return (await resolve(directory, sender)).length === 0 ? 'there is no such account' : undefined;
}

async function tellSender(parts: ReportParts, message: MessageRow, told: Told): Promise<Reports> {
  const report = parts.nextQueueId();
  const messageId = messageIdFor(parts, report);
  const content = composeFailureReport({ ...told, header: await headerOf(message), messageId });
  return send(parts, { kind: 'failure', told, report, to: told.sender, content });
}

function tellPostmaster(parts: ReportParts, told: Told): Promise<Reports> {
  const report = parts.nextQueueId();
  const messageId = messageIdFor(parts, report);
  const postmaster = postmasterFor(parts.directory, told.sender);
  const content = composePostmasterNotice({ ...told, postmaster, messageId });
  return send(parts, { kind: 'postmaster', told, report, to: postmaster, content });
}

const messageIdFor = ({ hostname }: ReportParts, report: string): string => `<${report}@${hostname}>`;

/** That of the sender's domain, if it is ours; else that of our first domain. */
function postmasterFor(directory: Directory, sender: string): string {
  const domain = parseAddress(sender)?.domain;
  return `postmaster@${domain !== undefined && directory.isLocal(domain) ? domain : (directory.firstDomain ?? '')}`;
}

interface Outgoing {
  kind: 'failure' | 'postmaster';
  told: Told;
  /** Its queue id. */
  report: string;
  to: string;
  content: Buffer;
}

async function send(parts: ReportParts, outgoing: Outgoing): Promise<Reports> {
  const { kind, told, report, to } = outgoing;
  const recipients = await resolve(parts.directory, to);
  if (recipients.length === 0) return { entries: [], events: [] };
  const at = parts.clock.now();
  const message = await reportRow(parts, outgoing, at);
  const { sizeBytes } = message;
  const messageId = messageIdFor(parts, report);
  const accepted: DossierEvent = {
    at,
    queueId: report,
    event: 'accepted',
    data: { via: 'internal', from: '', to: [to], sizeBytes, messageId },
  };
  const reported: DossierEvent = {
    at,
    queueId: told.queueId,
    event: 'reported',
    data: { to, kind, report, ...(told.untold !== undefined && { rule: told.untold }) },
  };
  const entry = newEntry({
    message,
    recipients,
    folder: 'Inbox',
    events: [accepted],
    lifetimeMs: parts.lifetimeMs,
  });
  return { entries: [entry], events: [reported] };
}

async function resolve(directory: Directory, to: string): Promise<readonly Recipient[]> {
  const address = parseAddress(to);
  if (!address) return [];
  const resolution = await directory.resolve(address, to);
  if (resolution.status === 'unknown') return [];
  return resolution.status === 'found' ? resolution.recipients : [resolution.recipient];
}

async function reportRow(
  parts: ReportParts,
  { report, to, content }: Outgoing,
  at: number,
): Promise<MessageRow> {
  const address = parseAddress(to);
  const prefix = Buffer.from(await signatureOn(parts, content));
  return {
    queueId: report,
    acceptedAt: at,
    reversePath: '',
    prefix,
    content: { kind: 'inline', bytes: content },
    sizeBytes: prefix.length + content.length,
    eightBit: true,
    smtputf8: address !== undefined && needsSmtputf8(address),
    failuresTo: 'nobody',
    messageId: messageIdFor(parts, report),
  };
}

/** Reports are written in the name of this host: a key of the host's domain or of one above it is aligned (RFC 9989). */
async function signatureOn({ hostname, signers }: ReportParts, content: Buffer): Promise<string> {
  const signer = [...signers.values()].find(
    ({ domain }) => hostname === domain || hostname.endsWith(`.${domain}`),
  );
  return signer ? signMessage(signer, content) : '';
}

/** The header section as it was sent, our own fields first; the body stays out of it. */
async function headerOf({ prefix, content }: MessageRow): Promise<Buffer> {
  const head = await beginningOf(content);
  return Buffer.concat([prefix, head.subarray(0, findHeaderEnd(head) ?? headerBytes)]);
}

/** As much as can be read: that the disk has lost a message is all the more to be told (requirement "not" 7). */
async function beginningOf(content: Content): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of readContent(content)) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= headerBytes || findHeaderEnd(head) !== undefined) break;
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
  return head;
}
