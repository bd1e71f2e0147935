/** The two ways of a report to its reader (RFC 8460 §5.3, §5.4; RFC 9990 §3.5): a signed message through the queue, or one POST. */

import type { DkimSigner } from '../authentication/dkim-sign.ts';
import { signMessage } from '../authentication/sign-message.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { type Address, formatAddress, needsSmtputf8 } from '../mail/address.ts';
import { parseHeader } from '../mail/header.ts';
import { findMailtoAddress } from '../mail/mailto.ts';
import type { Https } from '../net/https.ts';
import type { Directory, Recipient } from '../queue/directory.ts';
import { newEntry } from '../queue/entry.ts';
import type { Queue } from '../queue/queue.ts';
import type { MessageRow } from '../store/message.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { ReportToSend, Target } from './domain-day.ts';
import { retryForMs } from './domain-day.ts';
import type { OfferedMail } from './inbox/report-inbox.ts';

/** Empty where it was sent. */
export type SendResult = { problem?: never } | { problem: string } | { problem: string; retry: true };

export interface Carrier {
  /** Rejects with the signal's reason, or if the store does. */
  send(target: Target, report: ReportToSend, signal: AbortSignal): Promise<SendResult>;
  /** What became of what an earlier run was just sending. */
  findOut(target: Target): Promise<'sent' | 'not sent' | { problem: string }>;
}

export interface MailParts {
  queue: Pick<Queue, 'accept'>;
  store: Pick<Store, 'trace' | 'listJobs'>;
  directory: Pick<Directory, 'resolve'>;
  /** Its domain is the one that reports; without it no report by mail would be believed (RFC 8460 §3, RFC 9990 §3.5.3). */
  signer: DkimSigner;
  hostname: string;
  /** Of a report to ourselves: it comes by no door. */
  offer?: (mail: OfferedMail) => Promise<void> | undefined;
  /** Whether dossiers are kept: they know what became of a message that is gone. */
  dossiers: boolean;
  clock: Clock;
}

const notKnown = { problem: 'the server stopped while it was being sent: it may have arrived' };

export function mailCarrier(parts: MailParts): Carrier {
  return {
    async send(target, report) {
      const to = findMailtoAddress(target.uri);
      if (to === undefined) return { problem: 'it is no mail address' };
      const resolution = await parts.directory.resolve(to, formatAddress(to));
      if (resolution.status === 'unknown') return { problem: 'there is no such account here' };
      if (resolution.status === 'endless') return { problem: `the address ${resolution.why}` };
      const recipients = resolution.status === 'found' ? resolution.recipients : [resolution.recipient];
      const entry = await entryOf(parts, { target, report, to, recipients });
      const { maxBytes = Number.POSITIVE_INFINITY } = target;
      const { sizeBytes } = entry.message;
      if (sizeBytes > maxBytes) return { problem: `it has ${sizeBytes} octets, and they take ${maxBytes}` };
      if (resolution.status === 'found') await parts.offer?.(offered(entry.message, formatAddress(to)));
      await parts.queue.accept(entry);
      return {};
    },
    async findOut({ queueId }) {
      const { jobs } = await parts.store.listJobs({ queueId, limit: 1 });
      if (jobs.length > 0 || (await parts.store.trace({ queueId, limit: 1 })).length > 0) return 'sent';
      return parts.dossiers ? 'not sent' : notKnown;
    },
  };
}

interface Letter {
  target: Target;
  report: ReportToSend;
  to: Address;
  recipients: readonly Recipient[];
}

async function entryOf(parts: MailParts, { target, report, to, recipients }: Letter) {
  const { signer, hostname, clock } = parts;
  const { queueId } = target;
  const at = clock.now();
  const messageId = `<${queueId}@${hostname}>`;
  const address = formatAddress(to);
  const content = report.mail({ to: address, now: at, messageId });
  const prefix = Buffer.from(await signMessage(signer, content));
  const message: MessageRow = {
    queueId,
    acceptedAt: at,
    reversePath: '',
    prefix,
    content: { kind: 'inline', bytes: content },
    sizeBytes: prefix.length + content.length,
    eightBit: false,
    smtputf8: needsSmtputf8(to),
    failuresTo: 'nobody',
    messageId,
    ...(report.requests && { requests: report.requests }),
  };
  const entry = newEntry({
    message,
    recipients,
    events: eventsOf(message, signer, address),
  });
  return { ...entry, jobs: entry.jobs.map((job) => ({ ...job, expiresAt: at + retryForMs })) };
}

/** As the door offers what comes from outside. */
function offered({ queueId, acceptedAt: at, content }: MessageRow, to: string): OfferedMail {
  const header = parseHeader(content.kind === 'inline' ? content.bytes : Buffer.of());
  return { queueId, at, forwardPaths: [to], header, content, verdicts: undefined };
}

function eventsOf(
  { queueId, acceptedAt: at, sizeBytes, messageId = '' }: MessageRow,
  { domain, selector, algorithm, also }: DkimSigner,
  to: string,
): DossierEvent[] {
  return [
    { at, queueId, event: 'accepted', data: { via: 'internal', from: '', to: [to], sizeBytes, messageId } },
    { at, queueId, event: 'signed', data: { domain, selector, algorithm, ...(also && { also }) } },
  ];
}

/** For the whole of a POST. */
const postTimeoutMs = 60_000;
/** Octets of the answer, which nobody reads. */
const maxAnswerBytes = 1024 * 1024;

export function httpsCarrier(https: Https): Carrier {
  return {
    async send({ uri }, { gzip, type }, signal) {
      const url = URL.parse(uri);
      if (url === null) return { problem: 'it is no URL' };
      const answer = await https({
        url,
        method: 'POST',
        headers: { 'content-type': type },
        body: gzip,
        maxBytes: maxAnswerBytes,
        timeoutMs: postTimeoutMs,
        // RFC 8460 §3 allows it: a broken certificate may be the very thing that is reported.
        onBadCertificate: 'tell',
        signal,
      });
      if ('problem' in answer) return { problem: answer.problem, retry: true };
      const isTaken = answer.status >= 200 && answer.status < 300;
      return isTaken ? {} : { problem: `it answers ${answer.status}`, retry: true };
    },
    findOut: async () => notKnown,
  };
}
