/** All operations of the embedded engine over one open database. */

import type { Database } from 'better-sqlite3';
import { createAccounts } from './accounts.ts';
import { createClaims } from './claims.ts';
import { createDestinations } from './destinations.ts';
import { createErasure } from './erasure.ts';
import { createEventLog } from './event-log.ts';
import { createJobs } from './jobs.ts';
import { createMemos } from './memos.ts';
import { createMessages } from './messages.ts';
import type { Operation, Operations, SpooledTuple } from './protocol.ts';
import { createReports } from './reports.ts';
import { createReclaim } from './upkeep.ts';

export interface Engine {
  /** Runs one operation, inside of the transaction that is open. Throws what SQLite throws. */
  perform(operation: Operation): unknown;
  /** The names of all spool files in use. */
  spooled(): string[];
  /** And how long they are. */
  spoolSizes(): SpooledTuple[];
}

export function createEngine(database: Database): Engine {
  const log = createEventLog(database);
  const destinations = createDestinations(database);
  const messages = createMessages(database, log, destinations);
  const operations: Operations = {
    accept: messages.accept,
    settle: messages.settle,
    ...createClaims(database, destinations),
    ...createJobs(database, { log, messages, destinations }),
    listDestinations: ({ after, limit }) => destinations.list(after, limit),
    unholdDestinations: ({ heldUntil, now, limit }) => destinations.unhold(heldUntil, now, limit),
    appendEvents: (entries) => {
      for (const entry of entries) log.append(entry);
    },
    trace: log.trace,
    isSentFromHere: log.isSentFromHere,
    readEntries: log.readEntries,
    pruneEvents: log.pruneEvents,
    eraseAddress: createErasure(database, log),
    ...createAccounts(database),
    ...createMemos(database, log),
    ...createReports(database),
    reclaim: createReclaim(database),
  };
  return {
    perform([name, argument]) {
      // Name and argument come as a pair of the Operation type, which TypeScript does not follow through the look-up.
      return (operations[name] as (argument: unknown) => unknown)(argument);
    },
    spooled: messages.spooled,
    spoolSizes: messages.spoolSizes,
  };
}
