/**
 * Mail from others that goes on to others, because an alias, a forward or an operator wants it so: under a reverse-path of
 * ours (SRS, or a list's owner), and with a Delivered-To in front by which it is known if it comes back. Nothing else of it changes, so
 * that its DKIM signatures hold.
 */

import { formatAddress, parseAddress } from '../mail/address.ts';
import { listField } from '../mail/list-fields.ts';
import type { ReturnPaths } from '../queue/return-paths.ts';
import { StoreFullError } from '../store/errors.ts';
import type { JobMemo, JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';
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
async function envelopesFor(
  parts: ForwardingParts,
  message: MessageRow,
  jobs: readonly JobRow[],
): Promise<Envelope[]> {
  const byWay = Map.groupBy(jobs, (job) => JSON.stringify(wayOf(parts, job)));
  return Promise.all(
    [...byWay.values()].map(async (own): Promise<Envelope> => {
      const way = own[0] && wayOf(parts, own[0]);
      return { message: way ? await passedOn(parts, message, way) : message, jobs: own };
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

/** How a message came to go on from here. */
interface Way {
  /** The addresses of ours that it came by, the last one first. */
  marks: readonly string[];
  list?: NonNullable<JobMemo['list']>;
}

/** Undefined where it only passes through. */
function wayOf({ isLocal }: ForwardingParts, { originalRecipient, memo = {} }: JobRow): Way | undefined {
  const { list, forwardedBy } = memo;
  const last = forwardedBy ?? (list ? undefined : originalRecipient);
  const marks = [last, list?.address].flatMap((each) => {
    const address = each === undefined ? undefined : parseAddress(each);
    return address && isLocal(address.domain) ? [formatAddress(address)] : [];
  });
  return marks.length === 0 ? undefined : { marks, ...(list && { list }) };
}

async function passedOn(
  parts: ForwardingParts,
  message: MessageRow,
  { marks, list }: Way,
): Promise<MessageRow> {
  const fields = marks.map((mark) => `Delivered-To: ${mark}\r\n`).join('') + (list ? listField(list) : '');
  return {
    ...withPrefix(message, Buffer.from(fields)),
    reversePath: await reversePathOf(parts, message, { marks, ...(list && { list }) }),
  };
}

/** Of a list its owner's; our users write in their own name, wherever it goes. */
async function reversePathOf(
  { returnPaths }: ForwardingParts,
  { reversePath, submitter }: MessageRow,
  { marks: [forwarder = ''], list }: Way,
): Promise<string> {
  if (list) return list.owner;
  const address = parseAddress(forwarder);
  return submitter !== undefined || !address ? reversePath : returnPaths.rewrite(reversePath, address);
}

function withPrefix(message: MessageRow, fields: Buffer): MessageRow {
  const prefix = Buffer.concat([fields, message.prefix]);
  return { ...message, prefix, sizeBytes: message.sizeBytes + fields.length };
}
