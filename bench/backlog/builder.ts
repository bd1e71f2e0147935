/**
 * Fills a data directory with deferred mail through the store's own interface, in a process of its own. Argument: a
 * JSON object of BacklogOrder. Prints `built N` at the end.
 */

import type { JobRow } from '../../src/store/job.ts';
import type { NewMessage } from '../../src/store/queue-store.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { queueIds } from '../../src/util/queue-id.ts';
import { destinationOf } from './destinations.ts';

export interface BacklogOrder {
  dataDir: string;
  /** Messages of one recipient each. */
  jobs: number;
  /** Domains that they go to, in turn. */
  destinations: number;
  /** Octets of a body. */
  sizeBytes: number;
}

const minute = 60_000;
/** Deferred for hours, as after a day of trouble: nothing comes due while something else is measured. */
const attempts = 6;
const firstDueMs = 180 * minute;
const dueWithinMs = 360 * minute;
const lifetimeMs = 5 * 24 * 60 * minute;
/** Under way at once: what the store's thread takes into one group. */
const messagesAtOnce = 2_000;

async function build({ dataDir, jobs, destinations, sizeBytes }: BacklogOrder): Promise<void> {
  const now = Date.now();
  const body = Buffer.from(
    `${'A line of a message that waits in the queue.\r\n'.repeat(Math.ceil(sizeBytes / 46))}`,
  );
  const nextQueueId = queueIds(Date.now, Math.random);
  const store = await openStore({ dataDir });
  for (let first = 0; first < jobs; first += messagesAtOnce) {
    const numbers = Array.from(
      { length: Math.min(messagesAtOnce, jobs - first) },
      (_, index) => first + index,
    );
    await Promise.all(
      numbers.map((number) =>
        store.accept(
          deferred({
            queueId: nextQueueId(),
            number,
            recipient: `recipient${number}@${destinationOf(number % destinations)}`,
            dueAt: now + firstDueMs + Math.floor((dueWithinMs * number) / jobs),
            now,
            body,
          }),
        ),
      ),
    );
  }
  await store.close();
  console.log(`built ${jobs}`);
}

interface Deferred {
  queueId: string;
  number: number;
  recipient: string;
  dueAt: number;
  now: number;
  body: Buffer;
}

const reason = 'connect ECONNREFUSED';

/** A message that has been tried a few times, with its dossier. */
function deferred({ queueId, number, recipient, dueAt, now, body }: Deferred): NewMessage {
  const from = `sender${number % 1000}@example.com`;
  const messageId = `<${number}@example.com>`;
  const header = `From: <${from}>\r\nTo: <${recipient}>\r\nSubject: letter ${number}\r\nMessage-ID: ${messageId}\r\n\r\n`;
  const prefix = Buffer.from(
    `Received: from client.example.com by mx.example.com with ESMTPSA id ${queueId}\r\n`,
  );
  const content = Buffer.concat([Buffer.from(header), body]);
  const sizeBytes = prefix.length + content.length;
  const destination = recipient.slice(recipient.indexOf('@') + 1);
  const job: JobRow = {
    queueId,
    number: 0,
    recipient,
    kind: 'remote',
    destination,
    attempts,
    queuedAt: now,
    nextAttemptAt: dueAt,
    expiresAt: now + lifetimeMs,
    lastError: reason,
  };
  const deferral = { status: '4.4.1', phase: 'connecting', rule: 'no answer: try again later', reason };
  return {
    message: {
      queueId,
      acceptedAt: now,
      reversePath: from,
      prefix,
      content: { kind: 'inline', bytes: content },
      sizeBytes,
      eightBit: false,
      smtputf8: false,
      failuresTo: 'sender',
      messageId,
    },
    jobs: [job],
    events: [
      { at: now, queueId, event: 'accepted', data: { from, to: [recipient], messageId, sizeBytes } },
      {
        at: now,
        queueId,
        recipient,
        event: 'deferred',
        data: { ...deferral, attempts, nextAttemptAt: dueAt },
      },
    ],
    claimed: false,
  };
}

// The parent is this benchmark, which writes a BacklogOrder.
await build(JSON.parse(process.argv[2] ?? '') as BacklogOrder);
