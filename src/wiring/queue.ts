/** The wiring of the queue: it outlives a reload, and hands out what is due to whatever sends at that moment. */

import type { Receivers } from '../delivery/receivers/receivers.ts';
import { localSite } from '../delivery/route/sites.ts';
import { logEvents } from '../dossier/log-events.ts';
import type { DeliveryGroup } from '../queue/hand-out.ts';
import { Queue } from '../queue/queue.ts';
import { ScheduleRecorder } from '../queue/recording.ts';
import type { ScheduleLimits } from '../queue/schedule.ts';
import type { Suppressions } from '../queue/suppressions.ts';
import { takeUpSuspensions } from '../queue/suspensions.ts';
import { openCappedFile } from '../store/capped-file.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { InForce } from './in-force.ts';

export interface CreateQueueParts {
  inForce: InForce;
  store: Store;
  clock: Clock;
  log: Log;
  suppressions: Suppressions;
  receivers: Receivers;
}

/** Jobs in memory at once. */
const maxHeldJobs = 5000;

/** What it must have closed is left with `stack`; to stop it is for whoever starts it. */
export async function createQueue(parts: CreateQueueParts, stack: AsyncDisposableStack): Promise<Queue> {
  const { inForce, store, clock, log, suppressions } = parts;
  const limits: ScheduleLimits = {
    concurrency: inForce.config.delivery.concurrency,
    perSite: (site) => inForce.edition.sending.limitsOf(site),
    apart: (site) => site === localSite,
    maxHeld: maxHeldJobs,
  };
  const recorder = startRecorder(limits, parts, stack);
  return new Queue({
    store,
    clock,
    log,
    limits: recorder?.limits ?? limits,
    recorder,
    onEvents(events) {
      logEvents(log, events);
      suppressions.note(events);
    },
    siteOf: (job, signal, sentBy) => inForce.edition.sending.siteOf(job, signal, sentBy),
    isSplit: (destination) => inForce.edition.sending.isSplit(destination),
    suspensions: await takeUpSuspensions(store, clock.now()),
    deliver: (group, signal, untried) => inForce.edition.sending.deliver(group, signal, untried),
  });
}

/** A schedule's steps, in octets of their file: some two hours of a busy server. */
const maxTraceBytes = 64 * 2 ** 20;

function startRecorder(
  limits: ScheduleLimits,
  { inForce, log }: Pick<CreateQueueParts, 'inForce' | 'log'>,
  stack: AsyncDisposableStack,
): ScheduleRecorder<DeliveryGroup> | undefined {
  const { scheduleTrace } = inForce.config.delivery;
  if (scheduleTrace === undefined) return undefined;
  const onError = (error: Error) => log.error({ err: error }, 'the trace of the schedule ends here');
  const file = openCappedFile(scheduleTrace, { maxBytes: maxTraceBytes, onError });
  stack.defer(() => file.close());
  return new ScheduleRecorder(limits, (line) => file.write(line));
}
