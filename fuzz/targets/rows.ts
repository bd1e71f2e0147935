/** Messages, jobs and events on their way into the store and out of it: what comes out is what went in. */

import { Arena } from '../../src/store/arena.ts';
import type { EventRow } from '../../src/store/event-store.ts';
import type { JobRow } from '../../src/store/job.ts';
import type { MessageRow } from '../../src/store/message.ts';
import { entriesOf, eventsOf } from '../../src/store/sqlite/entries.ts';
import { jobRow, jobTuple, messageRow, messageTuple } from '../../src/store/sqlite/rows.ts';
import { packetsOf } from '../packets.ts';
import { demandSame, type Target } from './target.ts';

const maxParts = 16;
const spoolDirectory = '/data/spool';

/** Rows whose texts and octets are the parts of the input, and whose numbers are their lengths. */
function rowsOf(input: Buffer): { message: MessageRow; job: JobRow; events: EventRow[] } {
  const parts = packetsOf(input, maxParts);
  const octets = (number: number) => parts[number % parts.length] ?? input;
  const text = (number: number) => octets(number).toString('utf8');
  const size = (number: number) => octets(number).length;
  const isEven = (number: number) => size(number) % 2 === 0;
  const message: MessageRow = {
    queueId: text(0),
    acceptedAt: size(0),
    reversePath: text(1),
    ...(isEven(1) && { submitter: text(2) }),
    prefix: octets(3),
    content: isEven(2)
      ? { kind: 'inline', bytes: octets(4) }
      : { kind: 'spool', path: `${spoolDirectory}/s`, sizeBytes: size(5) },
    sizeBytes: size(3) + (isEven(2) ? size(4) : size(5)),
    eightBit: isEven(3),
    smtputf8: isEven(4),
    failuresTo: 'sender',
    ...(isEven(5) && { messageId: text(5) }),
  };
  const job: JobRow = {
    queueId: text(0),
    number: size(1),
    recipient: text(2),
    ...(isEven(3) && { originalRecipient: text(3) }),
    kind: 'remote',
    destination: text(4),
    attempts: size(5),
    queuedAt: size(6),
    nextAttemptAt: size(7),
    expiresAt: size(0),
    ...(isEven(0) && { lastError: text(6) }),
  };
  const events = parts.map(
    (_, number): EventRow => ({
      at: size(number),
      queueId: 'Q',
      recipient: text(number + 1),
      event: 'attempted',
      data: { error: text(number), to: [text(number + 2)] },
    }),
  );
  return { message, job, events };
}

function thereAndBack(message: MessageRow): MessageRow {
  return messageRow(structuredClone(messageTuple(message, new Arena())), spoolDirectory);
}

function check(input: Buffer): void {
  const { message, job, events } = rowsOf(input);
  demandSame('the message stored', message, thereAndBack(message));
  demandSame('the job stored', job, jobRow(structuredClone(jobTuple(job))));
  const stored = entriesOf(events).flatMap(([queueId, , data]) => eventsOf(queueId, data));
  demandSame('the events stored', events, stored);
}

export const rows: Target = {
  name: 'store-rows',
  seeds: () =>
    ['Q\x1ea@b\x1ebob\x1eReceived: x\r\n\x1eSubject: y\r\n\r\nz\x1e<1@x>\x1elast\x1e\x1e'].map((text) =>
      Buffer.from(text),
    ),
  read: (input) => thereAndBack(rowsOf(input).message),
  check,
};
