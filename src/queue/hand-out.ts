/**
 * Sorts a message's jobs by receiving site, and makes each group ready as soon as its site is known: a local recipient
 * waits for nobody's DNS. Look-ups that are answered in one turn of the event loop, as from the cache, go out together,
 * so that recipients at one site share a transaction.
 */

import type { JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';
import type { ClaimedMessage } from '../store/queue-store.ts';
import type { Log } from '../util/log.ts';
import type { MaybePromise } from '../util/maybe-promise.ts';
import type { Group } from './sites.ts';

/** One message's jobs for one receiving site. */
export interface DeliveryGroup extends Group {
  message: MessageRow;
  jobs: JobRow[];
}

/** Who sends it may decide which way it goes. */
export type SentBy = Pick<MessageRow, 'reversePath' | 'submitter'>;

export interface HandOutParts {
  /** A name for where a job goes; jobs with the same name share transactions and connections. */
  siteOf(job: JobRow, signal: AbortSignal, message: SentBy): MaybePromise<string>;
  /** Ends look-ups that are under way; what waits for them is made ready all the same. */
  signal: AbortSignal;
  log: Log;
  ready(group: DeliveryGroup): void;
}

/** Makes ready what can be; the promise, if there is one, is for the rest. */
export function handOut(parts: HandOutParts, { message, jobs }: ClaimedMessage): Promise<void> | undefined {
  const known = new Map<string, JobRow[]>();
  const asked: Promise<[string, JobRow]>[] = [];
  for (const job of jobs) {
    const site = siteOf(parts, message, job);
    if (typeof site === 'string') addTo(known, site, job);
    else asked.push(site.then((name) => [name, job]));
  }
  makeReady(parts, message, known);
  return asked.length > 0 ? handOutAsFound(parts, message, asked) : undefined;
}

/** A job whose site cannot be told is a bug or the end; it stands alone. */
function siteOf(
  { siteOf, signal, log }: HandOutParts,
  message: MessageRow,
  job: JobRow,
): MaybePromise<string> {
  const site = siteOf(job, signal, message);
  if (typeof site === 'string') return site;
  return site.catch((error) => {
    if (!signal.aborted) log.error({ err: error, queueId: job.queueId }, 'cannot tell the site of a job');
    return `unknown site of ${job.destination}`;
  });
}

async function handOutAsFound(
  parts: HandOutParts,
  message: MessageRow,
  asked: Promise<[string, JobRow]>[],
): Promise<void> {
  let found = new Map<string, JobRow[]>();
  const flush = () => {
    const groups = found;
    found = new Map();
    makeReady(parts, message, groups);
  };
  const noted = asked.map(async (one) => {
    const [site, job] = await one;
    if (found.size === 0) setImmediate(flush);
    addTo(found, site, job);
  });
  await Promise.all(noted);
  flush();
}

function makeReady(
  { ready }: HandOutParts,
  message: MessageRow,
  bySite: ReadonlyMap<string, JobRow[]>,
): void {
  for (const [site, jobs] of bySite) ready(groupOf(site, message, jobs));
}

export function groupOf(site: string, message: MessageRow, jobs: JobRow[]): DeliveryGroup {
  const fresh = jobs.some(({ attempts }) => attempts === 0);
  const expiresAt = Math.min(...jobs.map((job) => job.expiresAt));
  const sender = message.submitter ?? message.reversePath;
  const { priority } = message.requests ?? {};
  const group = { site, sender, jobCount: jobs.length, fresh, expiresAt, message, jobs };
  return priority === undefined ? group : { ...group, priority };
}

function addTo(groups: Map<string, JobRow[]>, site: string, job: JobRow): void {
  const jobs = groups.get(site);
  if (jobs) jobs.push(job);
  else groups.set(site, [job]);
}

/**
 * Whether nobody knows how a job's last attempt ended. A local one is simply tried again: the file that may be there is
 * found by its name. A remote one may have arrived, and is tried later (decision.ts).
 */
export const isInDoubt = ({ kind, inDoubt }: JobRow): boolean => kind === 'remote' && inDoubt === true;
