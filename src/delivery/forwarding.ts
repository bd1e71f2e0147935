/**
 * Mail from others that goes on to others, because an alias, a forward or an operator wants it so: under a reverse-path of
 * ours (SRS), and with a Delivered-To in front by which it is known if it comes back. Nothing else of it changes, so
 * that its DKIM signatures hold.
 */

import { formatAddress, parseAddress } from '../mail/address.ts';
import type { ReturnPaths } from '../queue/return-paths.ts';
import { StoreFullError } from '../store/errors.ts';
import type { JobRow, MessageRow } from '../store/store.ts';
import { type Sent, toAll } from './delivery.ts';
import type { Outcome } from './outcome.ts';

export interface ForwardingParts {
  returnPaths: Pick<ReturnPaths, 'rewrite'>;
  isLocal(domain: string): boolean;
}

/** A message as some of its recipients get it. */
export interface Envelope {
  message: MessageRow;
  jobs: readonly JobRow[];
}

/** False for nearly all mail. */
export const mayBePassedOn = (jobs: readonly JobRow[]): boolean =>
  jobs.some(
    ({ originalRecipient, memo }) => originalRecipient !== undefined || memo?.forwardedBy !== undefined,
  );

/** One for each address of ours by which the message came; nearly always one. Rejects with the store's error. */
export async function envelopesFor(
  parts: ForwardingParts,
  message: MessageRow,
  jobs: readonly JobRow[],
): Promise<Envelope[]> {
  const byForwarder = Map.groupBy(jobs, (job) => forwarderOf(parts, job));
  return Promise.all(
    [...byForwarder].map(async ([forwarder, own]): Promise<Envelope> => {
      if (forwarder === undefined) return { message, jobs: own };
      return { message: await passedOn(parts, message, forwarder), jobs: own };
    }),
  );
}

/** Makes the envelopes, and sends one after the other. */
export async function sendPassedOn(
  parts: ForwardingParts,
  { message, jobs }: Envelope,
  send: (envelope: Envelope) => Promise<Sent>,
): Promise<Sent> {
  const all: Sent = { outcomes: new Map(), events: [] };
  let envelopes: Envelope[];
  try {
    envelopes = await envelopesFor(parts, message, jobs);
  } catch (error) {
    if (error instanceof StoreFullError) return toAll(jobs, noRoomForSecret);
    throw error;
  }
  for (const envelope of envelopes) {
    const { outcomes, events } = await send(envelope);
    for (const [number, outcome] of outcomes) all.outcomes.set(number, outcome);
    all.events.push(...events);
  }
  return all;
}

const noRoomForSecret: Outcome = {
  kind: 'deferred',
  status: '4.3.1',
  phase: 'making a reverse-path of ours',
  reason: 'the disk is full',
  rule: 'a problem of this server: try again later',
  isOurs: true,
};

/** The address of ours by which the message came here; undefined where it only passes through. */
function forwarderOf({ isLocal }: ForwardingParts, { originalRecipient, memo }: JobRow): string | undefined {
  const came = memo?.forwardedBy ?? originalRecipient;
  const address = came === undefined ? undefined : parseAddress(came);
  return address && isLocal(address.domain) ? formatAddress(address) : undefined;
}

async function passedOn(parts: ForwardingParts, message: MessageRow, forwarder: string): Promise<MessageRow> {
  const address = parseAddress(forwarder);
  if (address === undefined) return message;
  // Our users write in their own name, wherever it goes.
  const reversePath =
    message.submitter === undefined
      ? await parts.returnPaths.rewrite(message.reversePath, address)
      : message.reversePath;
  const mark = Buffer.from(`Delivered-To: ${forwarder}\r\n`);
  return { ...withPrefix(message, mark), reversePath };
}

function withPrefix(message: MessageRow, fields: Buffer): MessageRow {
  const prefix = Buffer.concat([fields, message.prefix]);
  return { ...message, prefix, sizeBytes: message.sizeBytes + fields.length };
}
