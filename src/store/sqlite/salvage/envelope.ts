/**
 * What stands beside each salvaged message: a JSON file for people and for `posthorn store restore`. Times are
 * milliseconds since 1970.
 */

import { z } from 'zod';
import { jobRow, type MessageTuple } from '../rows.ts';
import type { SalvagedLetter } from './letters.ts';

const recipientShape = z.object({
  number: z.int(),
  recipient: z.string(),
  originalRecipient: z.string().exactOptional(),
  kind: z.enum(['local', 'remote']),
  destination: z.string(),
  folder: z.enum(['Inbox', 'Junk']).exactOptional(),
  attempts: z.int(),
  queuedAt: z.int(),
  nextAttemptAt: z.int(),
  expiresAt: z.int(),
  lastError: z.string().exactOptional(),
  inDoubt: z.boolean().exactOptional(),
});

export const envelopeShape = z.object({
  queueId: z.string().regex(/^[0-9A-Za-z_-]+$/),
  /** What is not sure about the message. */
  doubts: z.array(z.string()),
  /** The rest is missing where the message's own row is lost. */
  message: z
    .object({
      acceptedAt: z.int(),
      reversePath: z.string(),
      submitter: z.string().exactOptional(),
      messageId: z.string().exactOptional(),
      eightBit: z.boolean(),
      smtputf8: z.boolean(),
      failuresTo: z.enum(['sender', 'postmaster', 'nobody']),
      /** Octets of the header fields that were put in front here. */
      prefixBytes: z.int(),
      sizeBytes: z.int(),
    })
    .exactOptional(),
  /** Who still has to get it. */
  recipients: z.array(recipientShape),
  /** Who is not among them, but of whom the message's dossier does not say either that they got it. */
  addressedTo: z.array(z.string()).exactOptional(),
});

export type Envelope = z.infer<typeof envelopeShape>;

export function envelopeOf({ queueId, doubts, message, jobs }: SalvagedLetter): Envelope {
  const recipients = jobs.map((job) => {
    const { queueId: _, ...recipient } = jobRow(job);
    return recipient;
  });
  return { queueId, doubts, ...(message && { message: factsOf(message) }), recipients };
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
  };
}

/** Throws an error that says what is wrong with the text. */
export function readEnvelope(text: string): Envelope {
  return envelopeShape.parse(JSON.parse(text));
}
