/** The queue's jobs as administrators see and change them: walked through in bounded steps (job-walk.ts). */

import type { Database } from 'better-sqlite3';
import { never } from '../never.ts';
import type { JobChange } from '../queue-store.ts';
import type { Destinations } from './destinations.ts';
import { searchKey } from './entries.ts';
import type { EventLog } from './event-log.ts';
import { createJobWalk } from './job-walk.ts';
import type { Messages } from './messages.ts';
import type { EventTuple, JobName, MessageWithJobs, Operations } from './protocol.ts';
import { type JobTuple, type MessageTuple, messageColumns } from './rows.ts';

export type JobOperations = Pick<
  Operations,
  'listJobs' | 'countAround' | 'countJobs' | 'changeJobs' | 'takeJobs'
>;

export interface JobsParts {
  log: EventLog;
  messages: Messages;
  destinations: Destinations;
}

export function createJobs(database: Database, parts: JobsParts): JobOperations {
  const { log, messages, destinations } = parts;
  const walk = createJobWalk(database);
  const change = createChange(database, destinations);
  const countAround = createCountAround(database);
  return {
    listJobs: walk.listed,
    countAround,
    countJobs: walk.counted,
    changeJobs({ change: what, now, by, events, ...step }) {
      const { jobs, next } = walk.unclaimed(step);
      const changed = jobs.filter((job) => change(what, job, { now, by }));
      if (events) for (const job of changed) record(log, job, what, events);
      for (const destination of destinationsOf(changed)) destinations.removeIfEmpty(destination);
      const ids = what.kind === 'drop' ? new Set(changed.map(([queueId]) => queueId)) : [];
      const spools = [...ids].flatMap((queueId) => messages.removeIfDone(queueId) ?? []);
      return { jobs: changed, spools, next };
    },
    takeJobs: createTaking(database, walk.unclaimed),
  };
}

function createCountAround(database: Database): Operations['countAround'] {
  const count = (which: string) =>
    database
      .prepare<[JobName[0], JobName[1], number, number], number>(
        `SELECT count(*) FROM (
           SELECT 1 FROM (SELECT destination, next_attempt_at FROM jobs WHERE queue_id = ? AND number = ?) AS this
           JOIN jobs ON claimed_until IS NULL AND jobs.destination = this.destination AND ${which}
             AND jobs.next_attempt_at <= ?
           LIMIT ?)`,
      )
      .pluck();
  const before = count('jobs.next_attempt_at < this.next_attempt_at');
  const after = count('jobs.next_attempt_at > this.next_attempt_at');
  return ({ job, now, limit }) => ({
    before: before.get(...job, Number.MAX_SAFE_INTEGER, limit) ?? 0,
    after: after.get(...job, now, limit) ?? 0,
  });
}

const destinationsOf = (jobs: readonly JobTuple[]): Set<string> =>
  new Set(jobs.map(([, , , , , destination]) => destination));

interface Circumstances {
  now: number;
  by: string;
}

/** Changes one unclaimed job; false where there is nothing to change. */
type Change = (what: JobChange, job: JobTuple, when: Circumstances) => boolean;

function createChange(database: Database, destinations: Destinations): Change {
  const remove = database.prepare('DELETE FROM jobs WHERE queue_id = ? AND number = ?');
  // A job that is held waits for its release, whatever else is asked of it.
  const makeDue = database.prepare(
    `UPDATE jobs SET next_attempt_at = min(next_attempt_at, ?) WHERE queue_id = ? AND number = ? AND expires_at < ${never}`,
  );
  const hold = database.prepare(
    `UPDATE jobs SET next_attempt_at = ${never}, expires_at = ${never}, memo = json_set(coalesce(memo, '{}'), '$.held',
       json_object('by', ?, 'at', ?, 'nextAttemptAt', next_attempt_at, 'expiresAt', expires_at))
     WHERE queue_id = ? AND number = ? AND expires_at < ${never}`,
  );
  // Its time stood still meanwhile.
  const release = database
    .prepare<[number, string, number], number>(
      `UPDATE jobs SET next_attempt_at = memo ->> '$.held.nextAttemptAt',
         expires_at = (memo ->> '$.held.expiresAt') + max(0, ? - (memo ->> '$.held.at')),
         memo = nullif(json_remove(memo, '$.held'), '{}')
       WHERE queue_id = ? AND number = ? AND expires_at = ${never} RETURNING next_attempt_at`,
    )
    .pluck();
  // To the new address nothing was tried yet.
  const redirect = database
    .prepare<[string, string, string, string, number, number, string, number], number>(
      `UPDATE jobs SET original_recipient = coalesce(original_recipient, recipient), recipient = ?, kind = ?,
         destination = ?, folder = iif(? = 'local', 'Inbox', NULL), attempts = 0, last_error = NULL, verdict = NULL, in_doubt = 0,
         next_attempt_at = iif(expires_at = ${never}, ${never}, ?),
         memo = iif(expires_at = ${never}, json_object('held', json_set(memo -> '$.held', '$.nextAttemptAt', ?)), NULL)
       WHERE queue_id = ? AND number = ? RETURNING next_attempt_at`,
    )
    .pluck();

  return (what, [queueId, number, , , , destination], { now, by }) => {
    switch (what.kind) {
      case 'retry':
        destinations.note(destination, now);
        return makeDue.run(now, queueId, number).changes > 0;
      case 'hold':
        return hold.run(by, now, queueId, number).changes > 0;
      case 'drop':
        return remove.run(queueId, number).changes > 0;
      case 'release': {
        const nextAttemptAt = release.get(now, queueId, number);
        if (nextAttemptAt !== undefined) destinations.note(destination, nextAttemptAt);
        return nextAttemptAt !== undefined;
      }
      case 'redirect': {
        const { recipient, kind, destination: elsewhere } = what.to;
        const nextAttemptAt = redirect.get(recipient, kind, elsewhere, kind, now, now, queueId, number);
        if (nextAttemptAt !== undefined) destinations.note(elsewhere, nextAttemptAt);
        return nextAttemptAt !== undefined;
      }
    }
  };
}

/** What was done, for the job's recipient; and of a redirection, for the new one, where it came from. */
function record(
  log: EventLog,
  [queueId, , recipient]: JobTuple,
  what: JobChange,
  events: { done: EventTuple; arrived?: EventTuple | undefined },
): void {
  const [at, event, data] = events.done;
  const tuples: EventTuple[] = [[at, event, data, recipient]];
  if (what.kind !== 'redirect' || events.arrived === undefined)
    return log.append([queueId, at, JSON.stringify(tuples), []]);
  const [, arrived, more] = events.arrived;
  tuples.push([at, arrived, { ...more, from: recipient }, what.to.recipient]);
  log.append([queueId, at, JSON.stringify(tuples), [searchKey(what.to.recipient)]]);
}

/** Claims jobs for somebody who ends them at once, due or not. */
function createTaking(
  database: Database,
  unclaimed: ReturnType<typeof createJobWalk>['unclaimed'],
): Operations['takeJobs'] {
  const lease = database.prepare('UPDATE jobs SET claimed_until = ? WHERE queue_id = ? AND number = ?');
  const messageOf = database
    .prepare<[string], MessageTuple>(`SELECT ${messageColumns} FROM messages WHERE queue_id = ?`)
    .raw();
  return ({ leaseEnd, ...step }) => {
    const { jobs, next } = unclaimed(step);
    for (const [queueId, number] of jobs) lease.run(leaseEnd, queueId, number);
    const byMessage = Map.groupBy(jobs, ([queueId]) => queueId);
    const taken = [...byMessage].flatMap(([queueId, own]): MessageWithJobs[] => {
      const message = messageOf.get(queueId);
      return message === undefined ? [] : [[message, own]];
    });
    return { taken, next };
  };
}
