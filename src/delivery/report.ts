/**
 * Who is told that a message could not be delivered: the sender by a report (RFC 3464), the postmaster by a notice
 * without content. Both are messages like any other: they go through the queue, from the null sender, and so nobody is
 * ever told about them (RFC 5321 §6.1).
 */

import { bodyHasher } from '../authentication/body-hash.ts';
import type { DkimSigner } from '../authentication/dkim-sign.ts';
import type { DossierEvent } from '../dossier/event.ts';
import type { FailedRecipient } from '../dsn/failure.ts';
import { composeFailureReport } from '../dsn/failure-report.ts';
import { composePostmasterNotice } from '../dsn/postmaster-notice.ts';
import { parseAddress } from '../mail/address.ts';
import { findHeaderEnd } from '../mail/header.ts';
import type { Directory, Recipient } from '../queue/directory.ts';
import { newEntry } from '../queue/entry.ts';
import { readContent } from '../store/content.ts';
import type { MessageRow, NewMessage } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';

export interface ReportParts {
  hostname: string;
  directory: Directory;
  signers: ReadonlyMap<string, DkimSigner>;
  nextQueueId(): string;
  clock: Clock;
}

export interface Reports {
  entries: Omit<NewMessage, 'claimed'>[];
  /** For the dossier of the message that failed. */
  events: DossierEvent[];
}

/** Octets of the failed message that are read for its header. */
const headerBytes = 64 * 1024;

/** The messages that these failures give rise to; none for the null sender. */
export async function reportsFor(
  parts: ReportParts,
  message: MessageRow,
  failures: readonly FailedRecipient[],
): Promise<Reports> {
  if (failures.length === 0 || message.reversePath === '') return { entries: [], events: [] };
  const told = {
    hostname: parts.hostname,
    queueId: message.queueId,
    arrivedAt: message.acceptedAt,
    failures,
  };
  const now = parts.clock.now();
  const ids = { failure: parts.nextQueueId(), postmaster: parts.nextQueueId() };
  const report = composeFailureReport({
    ...told,
    sender: message.reversePath,
    header: await headerOf(message),
    now,
    messageId: `<${ids.failure}@${parts.hostname}>`,
  });
  const postmaster = postmasterFor(parts.directory, message.reversePath);
  const notice = composePostmasterNotice({
    ...told,
    sender: message.reversePath,
    postmaster,
    now,
    messageId: `<${ids.postmaster}@${parts.hostname}>`,
  });
  const sent = await Promise.all([
    send(parts, { message, kind: 'failure', queueId: ids.failure, to: message.reversePath, content: report }),
    send(parts, { message, kind: 'postmaster', queueId: ids.postmaster, to: postmaster, content: notice }),
  ]);
  return { entries: sent.flatMap(({ entries }) => entries), events: sent.flatMap(({ events }) => events) };
}

/** That of the sender's domain, if it is ours; else that of our first domain. */
function postmasterFor(directory: Directory, sender: string): string {
  const domain = parseAddress(sender)?.domain;
  return `postmaster@${domain !== undefined && directory.isLocal(domain) ? domain : (directory.firstDomain ?? '')}`;
}

interface Outgoing {
  /** The message that failed. */
  message: MessageRow;
  kind: 'failure' | 'postmaster';
  queueId: string;
  to: string;
  content: Buffer;
}

async function send(parts: ReportParts, outgoing: Outgoing): Promise<Reports> {
  const { message, kind, queueId, to } = outgoing;
  const recipients = await resolve(parts.directory, to);
  if (recipients.length === 0) return { entries: [], events: [] }; // the sender's account is gone, or was never there
  const at = parts.clock.now();
  const row = await reportRow(parts, outgoing, at);
  const accepted: DossierEvent = {
    at,
    queueId,
    event: 'accepted',
    data: {
      via: 'internal',
      from: '',
      to: [to],
      sizeBytes: row.sizeBytes,
      messageId: `<${queueId}@${parts.hostname}>`,
    },
  };
  const entry = newEntry({ message: row, recipients, folder: 'Inbox', events: [accepted] });
  const reported: DossierEvent = {
    at,
    queueId: message.queueId,
    event: 'reported',
    data: { to, kind, report: queueId },
  };
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
  { queueId, to, content }: Outgoing,
  at: number,
): Promise<MessageRow> {
  const prefix = Buffer.from(await signatureOn(parts, content));
  return {
    queueId,
    acceptedAt: at,
    reversePath: '',
    prefix,
    content: { kind: 'inline', bytes: content },
    sizeBytes: prefix.length + content.length,
    eightBit: true,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
    smtputf8: /[^\x00-\x7f]/.test(to),
    messageId: `<${queueId}@${parts.hostname}>`,
  };
}

/** Reports are written in the name of this host: a key of the host's domain or of one above it is aligned (RFC 9989). */
async function signatureOn({ hostname, signers }: ReportParts, content: Buffer): Promise<string> {
  const signer = [...signers.values()].find(
    ({ domain }) => hostname === domain || hostname.endsWith(`.${domain}`),
  );
  if (!signer) return '';
  const bodyStart = findHeaderEnd(content) ?? content.length;
  const hasher = bodyHasher();
  hasher.update(content.subarray(bodyStart));
  return signer.sign({ header: content.subarray(0, bodyStart), bodyHash: hasher.digest() });
}

/** The header section as it was sent, our own fields first; the body stays out of it. */
async function headerOf({ prefix, content }: MessageRow): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  for await (const chunk of readContent(content)) {
    head = Buffer.concat([head, chunk]);
    if (head.length >= headerBytes || findHeaderEnd(head) !== undefined) break;
  }
  return Buffer.concat([prefix, head.subarray(0, findHeaderEnd(head) ?? headerBytes)]);
}
