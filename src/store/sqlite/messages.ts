/** Messages: taken in with their jobs and first events, and settled job by job until the last one is done. */

import type { Database } from 'better-sqlite3';
import type { Returned } from '../queue-store.ts';
import type { Destinations } from './destinations.ts';
import type { EventLog } from './event-log.ts';
import type { AcceptTuple, Operations, ResultTuple, SettleTuple, SpooledTuple } from './protocol.ts';
import { jobColumns, messageColumns, placeholders } from './rows.ts';

/** The end of a claim without a lease: this process works on the job until it is settled, or the process is gone. */
export const untilRestart = Number.MAX_SAFE_INTEGER;

export interface Messages extends Pick<Operations, 'accept' | 'settle'> {
  /** Removes the message if it has no job left; the name of its spool file, if it had one. */
  removeIfDone(queueId: string): string | undefined;
  /** The names of all spool files in use. */
  spooled(): string[];
  /** And how long they are. */
  spoolSizes(): SpooledTuple[];
}

export function createMessages(database: Database, log: EventLog, destinations: Destinations): Messages {
  const { insertMessage, insertJob, removeJob, deferJob, returnJob, removeMessage, spooled, spoolSizes } =
    statements(database);

  function accept([message, jobs, claimed, entries]: AcceptTuple): void {
    insertMessage.run(...message);
    for (const job of jobs) {
      insertJob.run(...job, claimed ? untilRestart : null);
      const [, , , , , destination, , , , nextAttemptAt] = job;
      if (!claimed) destinations.note(destination, nextAttemptAt);
    }
    for (const entry of entries) log.append(entry);
  }

  /** Returns the destination, unless the job was dropped meanwhile. */
  function defer(
    queueId: string,
    [number, , lastError, memo, attempts]: ResultTuple,
    nextAttemptAt: number,
  ): string | undefined {
    const destination = deferJob.get(attempts, nextAttemptAt, lastError, memo, queueId, number);
    if (destination !== undefined) destinations.note(destination, nextAttemptAt);
    return destination;
  }

  function sendBack(
    queueId: string,
    [number, , lastError, memo]: ResultTuple,
    nextAttemptAt: number,
    { account, expiresAt }: Returned,
  ): void {
    const isThere =
      returnJob.run(account, nextAttemptAt, expiresAt, lastError, memo, queueId, number).changes > 0;
    if (isThere) destinations.note('', nextAttemptAt);
  }

  const removeIfDone = (queueId: string) => removeMessage.get(queueId, queueId) ?? undefined;

  function settle([queueId, results, entries, reports, holdUntil]: SettleTuple): string | undefined {
    let someDone = false;
    for (const result of results) {
      const [number, nextAttemptAt] = result;
      someDone ||= nextAttemptAt === null;
      if (nextAttemptAt === null) removeJob.run(queueId, number);
      else if (result[5]) sendBack(queueId, result, nextAttemptAt, result[5]);
      else {
        const destination = defer(queueId, result, nextAttemptAt);
        if (destination !== undefined && holdUntil !== null) destinations.holdAtLeast(destination, holdUntil);
      }
    }
    for (const entry of entries) log.append(entry);
    for (const report of reports) accept(report);
    return someDone ? removeIfDone(queueId) : undefined;
  }

  return { accept, settle, removeIfDone, spooled: () => spooled.all(), spoolSizes: () => spoolSizes.all() };
}

function statements(database: Database) {
  return {
    insertMessage: database.prepare(
      `INSERT INTO messages (${messageColumns}) VALUES (${placeholders(messageColumns)})`,
    ),
    insertJob: database.prepare(
      `INSERT INTO jobs (${jobColumns}, claimed_until) VALUES (${placeholders(jobColumns)}, ?)`,
    ),
    removeJob: database.prepare('DELETE FROM jobs WHERE queue_id = ? AND number = ?'),
    deferJob: database
      .prepare<[number, number, string | null, string | null, string, number], string>(
        `UPDATE jobs SET attempts = attempts + ?, next_attempt_at = ?, last_error = ?, memo = ?, in_doubt = 0,
           claimed_until = NULL WHERE queue_id = ? AND number = ? RETURNING destination`,
      )
      .pluck(),
    returnJob: database.prepare(
      `UPDATE jobs SET original_recipient = coalesce(original_recipient, recipient), recipient = ?, kind = 'local',
         destination = '', folder = 'Junk', attempts = 0, next_attempt_at = ?, expires_at = ?, last_error = ?, memo = ?,
         in_doubt = 0, claimed_until = NULL WHERE queue_id = ? AND number = ?`,
    ),
    removeMessage: database
      .prepare<[string, string], string | null>(
        `DELETE FROM messages WHERE queue_id = ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE queue_id = ?)
         RETURNING spool`,
      )
      .pluck(),
    spooled: database.prepare<[], string>('SELECT spool FROM messages WHERE spool IS NOT NULL').pluck(),
    spoolSizes: database
      .prepare<[], SpooledTuple>(
        'SELECT spool, size_bytes - prefix_bytes FROM messages WHERE spool IS NOT NULL',
      )
      .raw(),
  };
}
