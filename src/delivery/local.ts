/**
 * Final delivery of local recipients into their Maildirs, with the fields that only final delivery writes: Return-Path
 * (RFC 5321 §4.4) and Delivered-To, by which loops over forwarders are seen (loops.ts).
 */

import type { Quotas } from '../queue/quotas.ts';
import type { DeliveryAgent } from '../store/delivery-agent.ts';
import type { JobRow } from '../store/job.ts';
import { type MaildirOutcome, maildirPath } from '../store/maildir.ts';
import type { MessageRow } from '../store/message.ts';
import type { Turnstile } from '../util/turnstile.ts';
import { finalFields } from './final-fields.ts';
import type { Attempt, Outcome } from './outcome.ts';
import { damagedCopy } from './own-copy.ts';

export interface LocalParts {
  dataDir: string;
  hostname: string;
  agent: DeliveryAgent;
  /** Absent: nobody asks how full mailboxes are. */
  quotas?: Pick<Quotas, 'delivered'>;
  /** Passed for each recipient, of whatever message: lets `mailboxesAtOnce` in. */
  turns: Turnstile;
}

/** Mailboxes written to at once, each with two files open: a message to a thousand must not use up the descriptors. */
export const mailboxesAtOnce = 64;

/** Every recipient on its own: what fails for one holds nobody else up. */
export async function deliverLocally(
  parts: LocalParts,
  message: MessageRow,
  jobs: readonly JobRow[],
): Promise<Attempt> {
  const outcomes = await Promise.all(jobs.map((job) => deliverInTurn(parts, message, job)));
  return { outcomes, events: [] };
}

async function deliverInTurn(parts: LocalParts, message: MessageRow, job: JobRow): Promise<Outcome> {
  await parts.turns.enter();
  try {
    return await deliverJob(parts, message, job);
  } finally {
    parts.turns.leave();
  }
}

async function deliverJob(
  { dataDir, hostname, agent, quotas }: LocalParts,
  message: MessageRow,
  job: JobRow,
): Promise<Outcome> {
  const folder = job.folder ?? 'Inbox';
  const done = await agent.deliver({
    maildir: maildirPath(dataDir, job.recipient),
    folder,
    queueId: job.queueId,
    number: job.number,
    acceptedAt: message.acceptedAt,
    hostname,
    inDoubt: job.inDoubt === true || job.attempts > 0,
    fields: [finalFields(message, job), message.prefix],
    content: message.content,
  });
  if (done.kind !== 'delivered') return trouble(done);
  if (!done.repeated) quotas?.delivered(job.recipient, message.sizeBytes);
  return { kind: 'delivered', folder, file: done.file };
}

/** The disk is ours to mend, so nothing that it does is final for the sender. */
function trouble({ kind, text }: Exclude<MaildirOutcome, { kind: 'delivered' }>): Outcome {
  if (kind === 'damaged') return damagedCopy(text);
  const full = kind === 'full';
  return {
    kind: 'deferred',
    status: full ? '4.3.1' : '4.3.0',
    phase: 'writing to the mailbox',
    reason: full ? `the disk is full (${text})` : text,
    rule: 'a problem of this server: try again later',
  };
}
