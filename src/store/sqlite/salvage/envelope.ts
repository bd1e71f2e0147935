/**
 * What stands beside each salvaged message: a JSON file for people and for `posthorn store restore`. Times are
 * milliseconds since 1970.
 */

import * as v from 'valibot';
import { describeIssues } from '../../../util/shape-issues.ts';
import type { JobMemo, JobRequests } from '../../job.ts';
import type { MessageRequests } from '../../message.ts';
import { jobRow, type MessageTuple, requestsOf } from '../rows.ts';
import type { SalvagedLetter } from './letters.ts';

/** What JSON carries exactly. */
export const whole = v.pipe(v.number(), v.safeInteger());

/** As the store wrote it: whoever uses its fields looks at them one by one. */
export const table = <T extends object>() =>
  v.exactOptional(v.custom<T>((value) => typeof value === 'object' && value !== null));

const recipientShape = v.object({
  number: whole,
  recipient: v.string(),
  originalRecipient: v.exactOptional(v.string()),
  kind: v.picklist(['local', 'remote']),
  destination: v.string(),
  folder: v.exactOptional(v.picklist(['Inbox', 'Junk'])),
  attempts: whole,
  queuedAt: whole,
  nextAttemptAt: whole,
  expiresAt: whole,
  lastError: v.exactOptional(v.string()),
  inDoubt: v.exactOptional(v.boolean()),
  requests: table<JobRequests>(),
  memo: table<JobMemo>(),
  verdict: v.exactOptional(v.string()),
});

export const envelopeShape = v.object({
  queueId: v.pipe(v.string(), v.regex(/^[0-9A-Za-z_-]+$/)),
  /** What is not sure about the message. */
  doubts: v.array(v.string()),
  /** The rest is missing where the message's own row is lost. */
  message: v.exactOptional(
    v.object({
      acceptedAt: whole,
      reversePath: v.string(),
      submitter: v.exactOptional(v.string()),
      messageId: v.exactOptional(v.string()),
      eightBit: v.boolean(),
      smtputf8: v.boolean(),
      failuresTo: v.picklist(['sender', 'postmaster', 'nobody']),
      /** Octets of the header fields that were put in front here. */
      prefixBytes: whole,
      sizeBytes: whole,
      requests: table<MessageRequests>(),
      traceparent: v.exactOptional(v.string()),
    }),
  ),
  /** CRC-32 of the octets beside it, where they are those that were accepted; earlier versions did not write it. */
  octetsSum: v.exactOptional(whole),
  /** Who still has to get it. */
  recipients: v.array(recipientShape),
  /** Who is not among them, but of whom the message's dossier does not say either that they got it. */
  addressedTo: v.exactOptional(v.array(v.string())),
});

export type Envelope = v.InferOutput<typeof envelopeShape>;

export function envelopeOf(
  { queueId, doubts, message, jobs }: SalvagedLetter,
  octetsSum: number | undefined,
): Envelope {
  const recipients = jobs.map((job) => {
    const { queueId: _, ...recipient } = jobRow(job);
    return recipient;
  });
  return {
    queueId,
    doubts,
    ...(message && { message: factsOf(message) }),
    ...(octetsSum !== undefined && { octetsSum }),
    recipients,
  };
}

/**
 * With what the message's dossier says of those that it was addressed to and are not known to have got it; undefined
 * where there is none.
 */
export function withAddressees(envelope: Envelope, addressees: readonly string[] | undefined): Envelope {
  const { recipients, doubts } = envelope;
  if (addressees === undefined) return { ...envelope, doubts: [...doubts, 'it may have more recipients'] };
  const known = recipients.flatMap(({ recipient, originalRecipient }) => [recipient, originalRecipient]);
  const addressedTo = addressees.filter((address) => !known.includes(address));
  if (addressedTo.length === 0) return envelope;
  const doubt = 'by its dossier it has the recipients in addressedTo, too';
  return { ...envelope, doubts: [...doubts, doubt], addressedTo };
}

function factsOf(tuple: MessageTuple): NonNullable<Envelope['message']> {
  const [, acceptedAt, reversePath, submitter, messageId, sizeBytes, eightBit, smtputf8, failuresTo] = tuple;
  return {
    acceptedAt,
    reversePath,
    ...(submitter !== null && { submitter }),
    ...(messageId !== null && { messageId }),
    eightBit: eightBit === 1,
    smtputf8: smtputf8 === 1,
    failuresTo,
    prefixBytes: tuple[10],
    sizeBytes,
    ...requestsOf(tuple),
    ...(tuple[15] !== null && { traceparent: tuple[15] }),
  };
}

/** Throws an error that says what is wrong with the text. */
export function readEnvelope(text: string): Envelope {
  const { success, output, issues } = v.safeParse(envelopeShape, JSON.parse(text));
  if (!success) throw new TypeError(describeIssues(issues));
  return output;
}
