/**
 * What operators see of the queue and do to it, in bounded steps. Who asked for what stands in the dossier of each
 * message. Knows neither sockets nor terminals.
 */

import type { DossierEvent } from '../dossier/event.ts';
import { formatAddress, parseAddress } from '../mail/address.ts';
import { brakeName } from '../queue/brake/braked.ts';
import type { Directory, Recipient } from '../queue/directory.ts';
import type { DeliveryGroup } from '../queue/hand-out.ts';
import { type Matches, matchesOf } from '../queue/matches.ts';
import { attemptsMade } from '../queue/retry.ts';
import { readSuspensions, suspensionOf } from '../queue/suspensions.ts';
import type { JobState } from '../store/job.ts';
import type { ClaimedMessage, JobChange, QueueCounts, QueuePage } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';
import { filterOf, type Place, places, sitesAtOnce } from './queue-places.ts';
import type {
  Ordered,
  QueueCountRequest,
  QueuedJob,
  QueueOrder,
  QueueOrderRequest,
  QueueOrderResult,
  QueueRequest,
  QueueSelection,
} from './shapes/queue.ts';

export type QueueOperations = Pick<Admin, 'listQueue' | 'countQueue' | 'orderQueue'>;

export interface QueueOperationsParts {
  store: Store;
  clock: Clock;
  directory: Pick<Directory, 'resolve' | 'isLocal'>;
  /** The name of the receiving site of a destination. */
  siteOf(destination: string, reversePath?: string): Promise<string>;
  /** Ends jobs that were claimed for it, and tells their sender. */
  bounce(claimed: ClaimedMessage, order: Ordered): Promise<void>;
  /**
   * Lets nothing that matches begin until the returned function is called; with `recall`, has it in the store. Absent: no
   * server.
   */
  withhold?: ((matches: Matches, recall: boolean) => Promise<() => void>) | undefined;
  /** What the store has as claimed, and is not being tried: it waits in memory for its turn. */
  inLine(): readonly DeliveryGroup[];
  /** Jobs may be due that were not before; with `all`, whatever is known of their sites. */
  look(all: boolean): void;
}

/** Jobs on one page. */
const maxPage = 1000;
/** Jobs changed at once: mail that comes in meanwhile waits for no more than that. */
const orderStep = 500;
/** Jobs that are bounced at once: a report is composed for each message. */
const bounceStep = 100;
/** So long a claim for bouncing lasts, should its end not be written. */
const bounceLeaseMs = 10 * 60_000;
export function queueOperations(parts: QueueOperationsParts): QueueOperations {
  return {
    listQueue: (request) => listQueue(parts, request),
    countQueue: (request) => countQueue(parts, request),
    orderQueue: (request) => withholding(parts, request, () => orderQueue(parts, request)),
  };
}

/** Orders about what is to be tried as it is, or is not in memory. */
const leavesAlone = new Set<QueueOrder['kind']>(['retry', 'release']);

/** So long after one step the next one may come, before what was selected is tried again. */
const betweenStepsMs = 2000;

/** Before what waits is changed, it must not wait in memory: there it would be tried as it was. Once is enough. */
async function withholding(
  parts: QueueOperationsParts,
  { selection, order, after }: QueueOrderRequest,
  work: () => Promise<QueueOrderResult>,
): Promise<QueueOrderResult> {
  // What is held, or being tried, does not wait in memory.
  const isElsewhere = selection.state === 'held' || selection.state === 'underway';
  if (leavesAlone.has(order.kind) || isElsewhere) return work();
  const end = await parts.withhold?.(matchesIn(parts, selection), after === undefined);
  try {
    return await work();
  } finally {
    if (end) parts.clock.after(betweenStepsMs, end);
  }
}

const matchesIn = ({ directory }: QueueOperationsParts, { site, ...rest }: QueueSelection): Matches =>
  matchesOf(filterOf(rest, directory), site);

/** What the store has as claimed is being tried, or stands in line here: that waits, and an order finds it. */
const states = ['waiting', 'held', 'underway'] as const satisfies readonly JobState[];

async function countQueue(
  parts: QueueOperationsParts,
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
function countInLine(parts: QueueOperationsParts, selection: QueueSelection): number {
  const matches = matchesIn(parts, selection);
  let count = 0;
  for (const { site, message, jobs } of parts.inLine())
    for (const job of jobs) if (matches(job, message, site)) count++;
  return count;
}

async function listQueue(
  parts: QueueOperationsParts,
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
function lineOf({ inLine }: QueueOperationsParts): () => ReadonlySet<string> {
  let names: ReadonlySet<string> | undefined;
  return () => (names ??= new Set(inLine().flatMap((group) => group.jobs.map(nameOf))));
}

/** Tells those that wait in memory from those that are being tried. */
const withLine = (job: QueuedJob, line: () => ReadonlySet<string>): QueuedJob =>
  job.claimed && line().has(nameOf(job)) ? { ...job, claimed: false, inLine: true } : job;

const nameOf = ({ queueId, number }: { queueId: string; number: number }): string => `${queueId}/${number}`;

/** Tells of each job why an operator's word keeps it from being tried. */
async function withSuspensions(
  { store, clock, siteOf }: QueueOperationsParts,
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

/** One place, one step: an order that is broken off has done all that it told, and no more. */
async function orderQueue(
  parts: QueueOperationsParts,
  { selection, order, by, reason, after }: QueueOrderRequest,
): Promise<QueueOrderResult> {
  const change = order.kind === 'bounce' ? order : await changeFor(parts, order);
  const ordered: Ordered = { by, ...(reason !== undefined && { reason }) };
  let result: QueueOrderResult = { jobs: [] };
  for await (const place of places(parts, selection, after, true)) {
    if (result.jobs.length > 0) {
      result.next = place.cursor(undefined);
      break;
    }
    const step = change.kind === 'bounce' ? bounceStepAt : changeStepAt(change);
    const { jobs, next } = await step(parts, place, ordered);
    result = next === undefined ? { jobs } : { jobs, next: place.cursor(next) };
    if (next !== undefined) break;
  }
  if (order.kind === 'release' || order.kind === 'redirect') parts.look(false);
  if (order.kind === 'retry' && result.next === undefined) parts.look(true);
  return result;
}

type Step = (parts: QueueOperationsParts, place: Place, order: Ordered) => Promise<QueueOrderResult>;

const changeStepAt =
  (change: JobChange): Step =>
  async ({ store, clock }, { filter, after }, ordered) => {
    const now = clock.now();
    const events = eventsOf(change, ordered);
    // What an account's own release lets go, with its counts; named by its id it is meant.
    const isSwept = change.kind === 'release' && filter.queueId === undefined;
    const own = isSwept ? { ...filter, notHeldBy: brakeName } : filter;
    const step = { filter: own, change, now, by: ordered.by, events, limit: orderStep };
    const { jobs, next } = await store.changeJobs(after === undefined ? step : { ...step, after });
    return { jobs: jobs.map(named), ...(next !== undefined && { next }) };
  };

const bounceStepAt: Step = async ({ store, clock, bounce }, { filter, after }, ordered) => {
  const step = { filter, now: clock.now(), leaseMs: bounceLeaseMs, limit: bounceStep };
  const { taken, next } = await store.takeJobs(after === undefined ? step : { ...step, after });
  for (const [index, claimed] of taken.entries()) {
    try {
      await bounce(claimed, ordered);
    } catch (error) {
      // Claimed, they would wait for the end of the lease, and then be taken for interrupted attempts.
      await store.release(taken.slice(index).flatMap((each) => each.jobs));
      throw error;
    }
  }
  const jobs = taken.flatMap((claimed) => claimed.jobs.map(named));
  return { jobs, ...(next !== undefined && { next }) };
};

const named = ({ queueId, recipient }: { queueId: string; recipient: string }) => ({ queueId, recipient });

async function changeFor(
  parts: QueueOperationsParts,
  order: Exclude<QueueOrder, { kind: 'bounce' }>,
): Promise<JobChange> {
  if (order.kind !== 'redirect') return order;
  const { address, kind, destination } = await resolve(parts, order.to);
  return { kind: 'redirect', to: { recipient: address, kind, destination } };
}

/** The one recipient that an address leads to. */
async function resolve({ directory }: QueueOperationsParts, text: string): Promise<Recipient> {
  const address = parseAddress(text);
  if (address === undefined) {
    const what = `${JSON.stringify(text)} is not a mail address. Write it as user@example.com.`;
    throw new AdminError('bad-request', what);
  }
  const resolution = await directory.resolve(address, formatAddress(address));
  if (resolution.status === 'elsewhere') return resolution.recipient;
  if (resolution.status === 'unknown') {
    const what = `There is no account or alias ${text}. See: posthorn account list, posthorn alias list`;
    throw new AdminError('no-such-account', what);
  }
  if (resolution.status === 'endless') throw new AdminError('bad-request', `${text} ${resolution.why}.`);
  const [first, ...others] = resolution.recipients;
  if (first !== undefined && others.length === 0) return first;
  const all = resolution.recipients.map((recipient) => recipient.address).join(', ');
  throw new AdminError('bad-request', `${text} leads to several recipients. Name one of them: ${all}`);
}

type EventOf<Name extends DossierEvent['event']> = Pick<
  Extract<DossierEvent, { event: Name }>,
  'event' | 'data'
>;

function eventsOf(change: JobChange, ordered: Ordered) {
  const done = eventOf(change, ordered);
  if (change.kind !== 'redirect') return { done };
  const rule = `${ordered.by} sent it here instead`;
  // The store adds whom it was for before: each job knows.
  return { done, arrived: { event: 'redirected', data: { rule } } };
}

function eventOf(
  change: JobChange,
  ordered: Ordered,
): EventOf<'retried' | 'held' | 'released' | 'dropped' | 'readdressed'> {
  switch (change.kind) {
    case 'retry':
      return { event: 'retried', data: { by: ordered.by } };
    case 'hold':
      return { event: 'held', data: ordered };
    case 'release':
      return { event: 'released', data: ordered };
    case 'drop':
      return { event: 'dropped', data: ordered };
    case 'redirect':
      return { event: 'readdressed', data: { ...ordered, to: change.to.recipient } };
  }
}
