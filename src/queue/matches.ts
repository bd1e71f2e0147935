/** Whether a job that is in memory is meant by a selection, as the store would say of it (store/sqlite/job-walk.ts). */

import type { JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';
import type { QueueFilter } from '../store/queue-store.ts';
import { isSite } from './site-name.ts';

export type Matches = (job: JobRow, message: MessageRow, site: string) => boolean;

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** By the filter and, where one is given, the site. What is held is never in memory. */
export function matchesOf(filter: QueueFilter, wantedSite: string | undefined): Matches {
  const { destination, localDomain, queueId, recipient, sender, queuedBefore, queuedAfter, state } = filter;
  return (job, message, site) =>
    state !== 'held' &&
    (destination === undefined || same(destination, job.destination)) &&
    (localDomain === undefined || job.recipient.toLowerCase().endsWith(`@${localDomain}`)) &&
    (queueId === undefined || queueId === job.queueId) &&
    (recipient === undefined || same(recipient, job.recipient)) &&
    (sender === undefined || same(sender, message.reversePath)) &&
    (queuedBefore === undefined || job.queuedAt <= queuedBefore) &&
    (queuedAfter === undefined || job.queuedAt >= queuedAfter) &&
    (wantedSite === undefined || isSite(site, wantedSite));
}
