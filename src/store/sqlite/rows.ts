/**
 * Messages and jobs as flat tuples in column order. The same tuple crosses between the threads and is bound to the
 * statements: cloning a flat array costs a fifth of cloning the objects of store.ts, and nothing is rebuilt on the way.
 */

import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Arena } from '../arena.ts';
import type { JobMemo, JobRequests, JobRow } from '../job.ts';
import type { MessageRequests, MessageRow } from '../message.ts';

export type MessageTuple = [
  queueId: string,
  acceptedAt: number,
  reversePath: string,
  submitter: string | null,
  messageId: string | null,
  sizeBytes: number,
  eightBit: number,
  smtputf8: number,
  failuresTo: MessageRow['failuresTo'],
  spool: string | null,
  prefixBytes: number,
  octets: Uint8Array,
  /** CRC-32 of `octets`, and of the spool file; null where it was accepted by a version that knew none. */
  octetsSum: number | null,
  spoolSum: number | null,
  /** JSON. */
  requests: string | null,
  traceparent: string | null,
];

export const messageColumns =
  'queue_id, accepted_at, reverse_path, submitter, message_id, size_bytes, eight_bit, smtputf8, failures_to, spool, ' +
  'prefix_bytes, octets, octets_sum, spool_sum, requests, traceparent';

export type JobTuple = [
  queueId: string,
  number: number,
  recipient: string,
  originalRecipient: string | null,
  kind: JobRow['kind'],
  destination: string,
  folder: 'Inbox' | 'Junk' | null,
  attempts: number,
  queuedAt: number,
  nextAttemptAt: number,
  expiresAt: number,
  lastError: string | null,
  inDoubt: number,
  /** JSON, both. */
  requests: string | null,
  memo: string | null,
  verdict: string | null,
];

export const jobColumns =
  'queue_id, number, recipient, original_recipient, kind, destination, folder, attempts, queued_at, next_attempt_at, ' +
  'expires_at, last_error, in_doubt, requests, memo, verdict';

/** Placeholders for as many values as `columns` names. */
export const placeholders = (columns: string): string =>
  columns
    .split(',')
    .map(() => '?')
    .join(', ');

/** The octets that belong into the row are copied into `arena`. */
export function messageTuple(message: MessageRow, arena: Arena): MessageTuple {
  const { prefix, content } = message;
  if (content.kind === 'damaged') throw new TypeError(`Message ${message.queueId} has lost its octets`);
  const octets = content.kind === 'inline' ? arena.put(prefix, content.bytes) : arena.put(prefix);
  return [
    message.queueId,
    message.acceptedAt,
    message.reversePath,
    message.submitter ?? null,
    message.messageId ?? null,
    message.sizeBytes,
    Number(message.eightBit),
    Number(message.smtputf8),
    message.failuresTo,
    content.kind === 'spool' ? basename(content.path) : null,
    prefix.length,
    octets,
    crc32(octets),
    content.kind === 'spool' ? (content.sum ?? null) : null,
    json(message.requests),
    message.traceparent ?? null,
  ];
}

/** Octets that are not those which were accepted make a content that cannot be read. */
export function messageRow(tuple: MessageTuple, spoolDirectory: string): MessageRow {
  const [queueId, acceptedAt, reversePath, submitter, messageId, sizeBytes, eightBit, smtputf8, failuresTo] =
    tuple;
  const { 15: traceparent } = tuple;
  return {
    queueId,
    acceptedAt,
    reversePath,
    ...(submitter !== null && { submitter }),
    ...octetsOf(tuple, spoolDirectory),
    sizeBytes,
    eightBit: eightBit === 1,
    smtputf8: smtputf8 === 1,
    failuresTo,
    ...(messageId !== null && { messageId }),
    ...requestsOf(tuple),
    ...(traceparent !== null && { traceparent }),
  };
}

/** Written by messageTuple() from the same type. */
export const requestsOf = ({ 14: requests }: MessageTuple): { requests?: MessageRequests } =>
  requests === null ? {} : { requests: JSON.parse(requests) as MessageRequests };

/** The text of a column that is nearly always empty. */
export const json = (value: object | undefined): string | null =>
  value === undefined ? null : JSON.stringify(value);

function octetsOf(tuple: MessageTuple, spoolDirectory: string): Pick<MessageRow, 'prefix' | 'content'> {
  const [, , , , , size, , , , spool, prefixBytes, view, octetsSum, spoolSum] = tuple;
  const octets = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  const sizeBytes = size - prefixBytes;
  if (octetsSum !== null && crc32(octets) !== octetsSum)
    return { prefix: Buffer.alloc(0), content: { kind: 'damaged', sizeBytes } };
  const prefix = octets.subarray(0, prefixBytes);
  if (spool === null) return { prefix, content: { kind: 'inline', bytes: octets.subarray(prefixBytes) } };
  const content = { kind: 'spool', path: join(spoolDirectory, spool), sizeBytes } as const;
  return { prefix, content: spoolSum === null ? content : { ...content, sum: spoolSum } };
}

export function jobTuple(job: JobRow): JobTuple {
  return [
    job.queueId,
    job.number,
    job.recipient,
    job.originalRecipient ?? null,
    job.kind,
    job.destination,
    job.folder ?? null,
    job.attempts,
    job.queuedAt,
    job.nextAttemptAt,
    job.expiresAt,
    job.lastError ?? null,
    Number(job.inDoubt ?? false),
    json(job.requests),
    json(job.memo),
    job.verdict ?? null,
  ];
}

export function jobRow(tuple: JobTuple): JobRow {
  const [queueId, number, recipient, originalRecipient, kind, destination, folder] = tuple;
  const [, , , , , , , attempts, queuedAt, nextAttemptAt, expiresAt, lastError, inDoubt, ...extras] = tuple;
  const [requests, memo, verdict] = extras;
  return {
    queueId,
    number,
    recipient,
    ...(originalRecipient !== null && { originalRecipient }),
    kind,
    destination,
    ...(folder !== null && { folder }),
    attempts,
    queuedAt,
    nextAttemptAt,
    expiresAt,
    ...(lastError !== null && { lastError }),
    ...(inDoubt === 1 && { inDoubt: true }),
    // Written by jobTuple() from the same types.
    ...(requests !== null && { requests: JSON.parse(requests) as JobRequests }),
    ...(memo !== null && { memo: JSON.parse(memo) as JobMemo }),
    ...(verdict !== null && { verdict }),
  };
}
