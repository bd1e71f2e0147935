/**
 * What operators do to the queue, in bounded steps. Who asked for what stands in the dossier of each message.
 */

import type { DossierEvent } from '../dossier/event.ts';
import { formatAddress, parseAddress } from '../mail/address.ts';
import { brakeName } from '../queue/brake/braked.ts';
import type { Directory, Recipient } from '../queue/directory.ts';
import type { ClaimedMessage, JobChange } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import { AdminError } from './admin-error.ts';
import { type Place, type PlacesParts, places } from './queue-places.ts';
import type { Ordered, QueueOrder, QueueOrderRequest, QueueOrderResult } from './shapes/queue.ts';

export interface OrderParts extends PlacesParts {
  store: Store;
  clock: Clock;
  directory: Pick<Directory, 'resolve' | 'isLocal'>;
  /** Ends jobs that were claimed for it, and tells their sender. */
  bounce(claimed: ClaimedMessage, order: Ordered): Promise<void>;
  /** Jobs may be due that were not before; with `all`, whatever is known of their sites. */
  look(all: boolean): void;
}

/** Jobs changed at once: mail that comes in meanwhile waits for no more than that. */
const orderStep = 500;
/** Jobs that are bounced at once: a report is composed for each message. */
const bounceStep = 100;
/** So long a claim for bouncing lasts, should its end not be written. */
const bounceLeaseMs = 10 * 60_000;

/** One place, one step: an order that is broken off has done all that it told, and no more. */
export async function orderQueue(
  parts: OrderParts,
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

type Step = (parts: OrderParts, place: Place, order: Ordered) => Promise<QueueOrderResult>;

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
  parts: OrderParts,
  order: Exclude<QueueOrder, { kind: 'bounce' }>,
): Promise<JobChange> {
  if (order.kind !== 'redirect') return order;
  const { address, kind, destination } = await resolve(parts, order.to);
  return { kind: 'redirect', to: { recipient: address, kind, destination } };
}

/** The one recipient that an address leads to. */
async function resolve({ directory }: OrderParts, text: string): Promise<Recipient> {
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
