/** What operators see of the queue: its jobs, page by page, and how many there are. Changes nothing. */

import type { DeliveryGroup } from '../queue/hand-out.ts';
import { attemptsMade } from '../queue/retry.ts';
import { readSuspensions, suspensionOf } from '../queue/suspensions.ts';
import type { JobState } from '../store/job.ts';
import type { QueueCounts, QueuePage } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import { matchesIn, type PlacesParts, places, sitesAtOnce } from './queue-places.ts';
import type { QueueCountRequest, QueuedJob, QueueRequest, QueueSelection } from './shapes/queue.ts';

export interface ListingParts extends PlacesParts {
  store: Store;
  clock: Clock;
  /** What the store has as claimed, and is not being tried: it waits in memory for its turn. */
  inLine(): readonly DeliveryGroup[];
}

/** Jobs on one page. */
const maxPage = 1000;

/** What the store has as claimed is being tried, or stands in line here: that waits, and an order finds it. */
const states = ['waiting', 'held', 'underway'] as const satisfies readonly JobState[];

export async function countQueue(
  parts: ListingParts,
  { mustKnow = false, state, ...selection }: QueueCountRequest,
): Promise<QueueCounts> {
  const total = { waiting: 0, held: 0, underway: 0 };
  for await (const { filter } of places(parts, selection, undefined, mustKnow)) {
    const counts = await parts.store.countJobs(filter);
    for (const each of states) total[each] += counts[each];
  }
  const inLine = Math.min(countInLine(parts, selection), total.underway);
  const counts = { ...total, waiting: total.waiting + inLine, underway: total.underway - inLine };
  return state === undefined ? counts : { waiting: 0, held: 0, underway: 0, [state]: counts[state] };
}

/** The store is asked before, and the line goes on meanwhile: this may be off by what began in between. */
function countInLine(parts: ListingParts, selection: QueueSelection): number {
  const matches = matchesIn(selection, parts.directory);
  let count = 0;
  for (const { site, message, jobs } of parts.inLine())
    for (const job of jobs) if (matches(job, message, site)) count++;
  return count;
}

export async function listQueue(
  parts: ListingParts,
  { after, limit: wanted, ...selection }: QueueRequest,
): Promise<{ jobs: QueuedJob[]; next?: string }> {
  const limit = Math.min(wanted, maxPage);
  const jobs: QueuedJob[] = [];
  const { state, ...rest } = selection;
  const line = lineOf(parts);
  let next: string | undefined;
  // Of what waits the store has a part as claimed.
  for await (const place of places(parts, state === 'waiting' ? rest : selection, after, true)) {
    if (jobs.length === limit) {
      next ??= place.cursor(undefined);
      break;
    }
    let from = place.after;
    do {
      const step = { ...place.filter, limit: limit - jobs.length };
      const page = await parts.store.listJobs(from === undefined ? step : { ...step, after: from });
      const own = page.jobs.map((job) => withLine({ ...job, attempts: attemptsMade(job) }, line));
      jobs.push(...own.filter((job) => state === undefined || stateOf(job) === state));
      from = page.next;
    } while (from !== undefined && jobs.length < limit);
    next = from === undefined ? undefined : place.cursor(from);
    if (next !== undefined) break;
  }
  return { jobs: await withSuspensions(parts, jobs), ...(next !== undefined && { next }) };
}

const stateOf = ({ memo, claimed }: QueuedJob): JobState =>
  memo?.held ? 'held' : claimed ? 'underway' : 'waiting';

/** The names of those that wait in memory, found out when they are first asked for. */
function lineOf({ inLine }: ListingParts): () => ReadonlySet<string> {
  let names: ReadonlySet<string> | undefined;
  return () => (names ??= new Set(inLine().flatMap((group) => group.jobs.map(nameOf))));
}

/** Tells those that wait in memory from those that are being tried. */
const withLine = (job: QueuedJob, line: () => ReadonlySet<string>): QueuedJob =>
  job.claimed && line().has(nameOf(job)) ? { ...job, claimed: false, inLine: true } : job;

const nameOf = ({ queueId, number }: { queueId: string; number: number }): string => `${queueId}/${number}`;

/** Tells of each job why an operator's word keeps it from being tried. */
async function withSuspensions(
  { store, clock, siteOf }: ListingParts,
  jobs: QueuedJob[],
): Promise<QueuedJob[]> {
  const suspensions = await readSuspensions(store);
  if (suspensions.length === 0) return jobs;
  const needsSites = suspensions.some(({ scope }) => scope === 'site');
  const ways = needsSites ? [...new Map(jobs.map((job) => [wayOf(job), job])).values()] : [];
  const sites = new Map<string, string>();
  for (let start = 0; start < ways.length; start += sitesAtOnce) {
    const some = ways.slice(start, start + sitesAtOnce);
    const found = await Promise.all(some.map((job) => siteOf(job.destination, job.reversePath)));
    for (const [index, job] of some.entries()) sites.set(wayOf(job), found[index] ?? '');
  }
  const now = clock.now();
  return jobs.map((job) => {
    const suspended = suspensionOf(suspensions, job, { site: sites.get(wayOf(job)), now });
    return suspended ? { ...job, suspended } : job;
  });
}

/** Mail may go by a transport of its sender's. */
const wayOf = ({ destination, reversePath }: QueuePage['jobs'][number]): string =>
  `${destination} ${reversePath}`;
