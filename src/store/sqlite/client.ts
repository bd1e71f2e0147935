/** The Store over a link to the store thread: translates its rows into tuples and repeats what goes by steps. */

import { basename } from 'node:path';
import type { Clock } from '../../util/clock.ts';
import { StoreFullError } from '../errors.ts';
import { createSpool, type Spool, spoolDirectory } from '../spool.ts';
import type { EventRow, JobRow, QueuePage, Store } from '../store.ts';
import { accountsOver } from './account-client.ts';
import { entriesOf, eventsOf } from './entries.ts';
import { keepTidy } from './housekeeping.ts';
import type { Link } from './link.ts';
import { memosOver } from './memo-client.ts';
import { acceptTuple, settleTuple } from './packing.ts';
import type { EventTuple, JobName } from './protocol.ts';
import { jobRow, messageRow } from './rows.ts';

/** Jobs that one step of a walk over the queue takes. */
const walkStep = 1000;

export interface ClientParts {
  link: Link;
  dataDir: string;
  clock: Clock;
  /** Told of what went wrong without harm, such as a spool file that could not be removed. */
  warn(text: string): void;
}

export function createClient({ link, dataDir, clock, warn }: ClientParts): Store {
  const spool = createSpool({ dataDir, clock, warn });
  const stopTidying = keepTidy(link, clock);
  return {
    spool,
    ...messagesOver(link, spool, spoolDirectory(dataDir)),
    ...queueOver(link, spool),
    ...dossiersOver(link),
    ...accountsOver(link),
    ...memosOver(link, clock),
    broken: link.broken,
    async close() {
      stopTidying();
      try {
        await link.close();
      } finally {
        await spool.close();
      }
    },
  };
}

type Messages = Pick<Store, 'accept' | 'claim' | 'nextDue' | 'settle' | 'release' | 'postpone'>;

function messagesOver(link: Link, spool: Spool, directory: string): Messages {
  return {
    async accept(entry) {
      try {
        await link.call('accept', acceptTuple(entry, link.arena));
      } catch (error) {
        // Surely not accepted: its file would only keep the disk full.
        const { content } = entry.message;
        if (error instanceof StoreFullError && content.kind === 'spool') spool.remove(basename(content.path));
        throw error;
      }
    },
    async claim(request) {
      const claimed = await link.call('claim', request);
      return claimed.map(([message, jobs]) => ({
        message: messageRow(message, directory),
        jobs: jobs.map(jobRow),
      }));
    },
    nextDue: () => link.call('nextDue', undefined),
    async settle(settlement) {
      const unneeded = await link.call('settle', settleTuple(settlement, link.arena));
      // All its jobs have ended, and whoever worked on them has read it.
      if (unneeded !== undefined) spool.recycle(unneeded);
    },
    async release(jobs, holdUntil) {
      const names = jobs.map(({ queueId, number }): JobName => [queueId, number]);
      await link.call('release', { jobs: names, holdUntil });
    },
    async postpone(jobs, until) {
      const names = jobs.map(({ queueId, number }): JobName => [queueId, number]);
      await link.call('postpone', { jobs: names, until });
    },
  };
}

type Queue = Pick<Store, 'listJobs' | 'countAhead' | 'retryJobs' | 'dropJobs'>;

function queueOver(link: Link, spool: Spool): Queue {
  return {
    async listJobs({ after, limit, ...filter }) {
      const listed = await link.call('listJobs', { filter, after: jobName(after), limit: limit + 1 });
      const jobs = listed.slice(0, limit).map(([job, reversePath, claimed]): QueuePage['jobs'][number] => ({
        ...jobRow(job),
        reversePath,
        claimed,
      }));
      const last = jobs.at(-1);
      return listed.length > limit && last !== undefined ? { jobs, next: cursor(last) } : { jobs };
    },
    countAhead: ({ queueId, number }, limit) => link.call('countAhead', { job: [queueId, number], limit }),
    async retryJobs(filter, now) {
      const step = (after: JobName | undefined) =>
        link.call('retryJobs', { filter, after, limit: walkStep, now });
      let count = 0;
      let names = await step(undefined);
      for (count += names.length; names.length === walkStep; count += names.length)
        names = await step(names.at(-1));
      return count;
    },
    async dropJobs(filter, { at, event, data }, limit = walkStep) {
      const tuple: EventTuple = [at, event, data];
      const { jobs, spools } = await link.call('dropJobs', { filter, limit, event: tuple });
      for (const name of spools) spool.remove(name);
      return jobs.map(jobRow);
    },
  };
}

const cursor = ({ queueId, number }: JobRow): string => `${queueId}/${number}`;

function jobName(cursor: string | undefined): JobName | undefined {
  if (cursor === undefined) return undefined;
  const slash = cursor.lastIndexOf('/');
  return [cursor.slice(0, slash), Number(cursor.slice(slash + 1))];
}

type Dossiers = Pick<Store, 'appendEvents' | 'trace' | 'isSentFromHere' | 'pruneEvents'>;

function dossiersOver(link: Link): Dossiers {
  return {
    async appendEvents(events) {
      await link.call('appendEvents', entriesOf(events));
    },
    async trace(query) {
      const entries = await link.call('trace', query);
      const byMessage = Map.groupBy(entries, ([queueId]) => queueId);
      return [...byMessage.values()].flatMap((own) =>
        own.flatMap(([queueId, data]): EventRow[] => eventsOf(queueId, data)).sort((a, b) => a.at - b.at),
      );
    },
    isSentFromHere: (messageId) => link.call('isSentFromHere', messageId),
    async pruneEvents(retention) {
      let total = 0;
      for (let count = -1; count !== 0; total += count) count = await link.call('pruneEvents', retention);
      return total;
    },
  };
}
