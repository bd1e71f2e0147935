/** The Store over a link to the store thread: translates its rows into tuples and repeats what goes by steps. */

import { basename } from 'node:path';
import type { Clock } from '../../util/clock.ts';
import { StoreFullError } from '../errors.ts';
import type { EventRow } from '../event-store.ts';
import type { ClaimedJob, QueueFilter, QueuePage } from '../queue-store.ts';
import { createSpool, type Spool, spoolDirectory } from '../spool.ts';
import type { Freeze, Store } from '../store.ts';
import { accountsOver } from './account-client.ts';
import { entriesOf, eventsOf } from './entries.ts';
import { keepTidy } from './housekeeping.ts';
import type { Link } from './link.ts';
import { memosOver } from './memo-client.ts';
import { acceptTuple, settleTuple } from './packing.ts';
import type { EventTuple, JobName, ListedTuple, ReturnedJob } from './protocol.ts';
import { reportsOver } from './report-client.ts';
import { jobRow, messageRow } from './rows.ts';

/** Destinations that one step takes. */
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
    ...queueOver(link, spool, spoolDirectory(dataDir)),
    ...dossiersOver(link),
    ...accountsOver(link),
    ...memosOver(link, clock),
    ...reportsOver(link),
    freeze: () => freeze(link, spool),
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

/** The spool first: of what is in the file as soon as it is frozen, nothing may be gone. */
async function freeze(link: Link, spool: Spool): Promise<Freeze> {
  const letGo = spool.hold();
  try {
    await link.freeze();
  } catch (error) {
    letGo();
    throw error;
  }
  return {
    async end() {
      try {
        return await link.thaw();
      } finally {
        letGo();
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
      await link.call('release', { jobs: jobs.map(returned), holdUntil });
    },
    async postpone(jobs, until) {
      await link.call('postpone', { jobs: jobs.map(returned), until });
    },
  };
}

type Queue = Pick<
  Store,
  | 'listJobs'
  | 'countAround'
  | 'countJobs'
  | 'changeJobs'
  | 'takeJobs'
  | 'listDestinations'
  | 'unholdDestinations'
>;

function queueOver(link: Link, spool: Spool, directory: string): Queue {
  return {
    listJobs: ({ after, limit, ...filter }) => listJobs(link, filter, { after: jobName(after), limit }),
    async countJobs(filter) {
      const total = { waiting: 0, held: 0, underway: 0 };
      for (let after: JobName | undefined, first = true; first || after !== undefined; first = false) {
        const { counts, next } = await link.call('countJobs', { filter, after });
        for (const state of ['waiting', 'held', 'underway'] as const) total[state] += counts[state];
        after = next;
      }
      return total;
    },
    countAround: ({ queueId, number }, request) =>
      link.call('countAround', { job: [queueId, number], ...request }),
    async changeJobs({ events, after, now, ...change }) {
      const tuple = ({ event, data }: { event: string; data: EventTuple[2] }): EventTuple => [
        now,
        event,
        data,
      ];
      const { jobs, spools, next } = await link.call('changeJobs', {
        ...change,
        now,
        after: jobName(after),
        events: events && { done: tuple(events.done), arrived: events.arrived && tuple(events.arrived) },
      });
      for (const name of spools) spool.remove(name);
      return { jobs: jobs.map(jobRow), ...(next && { next: cursor(next) }) };
    },
    async takeJobs({ now, leaseMs, after, ...step }) {
      const request = { ...step, after: jobName(after), leaseEnd: now + leaseMs };
      const { taken, next } = await link.call('takeJobs', request);
      const rows = taken.map(([message, jobs]) => ({
        message: messageRow(message, directory),
        jobs: jobs.map(jobRow),
      }));
      return { taken: rows, ...(next && { next: cursor(next) }) };
    },
    listDestinations: (after, limit) => link.call('listDestinations', { after, limit }),
    async unholdDestinations(heldUntil, now) {
      const step = { heldUntil, now, limit: walkStep };
      while ((await link.call('unholdDestinations', step)) === walkStep);
    },
  };
}

/** Goes on until the page is full: a step may come across nothing that matches. */
async function listJobs(
  link: Link,
  filter: QueueFilter,
  { after: start, limit }: { after: JobName | undefined; limit: number },
): Promise<QueuePage> {
  const listed: ListedTuple[] = [];
  let after = start;
  do {
    // One more than the page has room for tells whether there is another.
    const step = await link.call('listJobs', { filter, after, limit: limit + 1 - listed.length });
    listed.push(...step.jobs);
    after = step.next;
  } while (after !== undefined && listed.length <= limit);
  const jobs = listed.slice(0, limit).map(([job, reversePath, claimed]): QueuePage['jobs'][number] => ({
    ...jobRow(job),
    reversePath,
    claimed,
  }));
  const last = jobs.at(-1);
  if (listed.length <= limit || last === undefined) return { jobs };
  return { jobs, next: cursor([last.queueId, last.number]) };
}

const returned = ({ queueId, number, inDoubt }: ClaimedJob): ReturnedJob => [
  queueId,
  number,
  Number(inDoubt ?? false),
];

const cursor = ([queueId, number]: JobName): string => `${queueId}/${number}`;

function jobName(cursor: string | undefined): JobName | undefined {
  if (cursor === undefined) return undefined;
  const slash = cursor.lastIndexOf('/');
  return [cursor.slice(0, slash), Number(cursor.slice(slash + 1))];
}

type Dossiers = Pick<Store, 'appendEvents' | 'trace' | 'isSentFromHere' | 'readEvents' | 'pruneEvents'>;

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
    async readEvents({ before = Number.MAX_SAFE_INTEGER, limit }) {
      const entries = await link.call('readEntries', { before, limit });
      const last = entries.at(-1);
      return {
        events: entries.flatMap(([, queueId, data]) => eventsOf(queueId, data)),
        ...(last && entries.length === limit && { next: last[0] }),
      };
    },
    async pruneEvents(retention) {
      let total = 0;
      for (let count = -1; count !== 0; total += count) count = await link.call('pruneEvents', retention);
      return total;
    },
  };
}
