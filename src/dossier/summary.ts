/** What has become of each recipient so far: a fold over a message's events. Knows no text for people. */

import type { DossierEvent } from './event.ts';

/** `unsent`: deferred, and nobody will try again (`posthorn send --direct`). */
export type RecipientState =
  | 'underway'
  | 'delivered'
  | 'deferred'
  | 'held'
  | 'unsent'
  | 'failed'
  | 'readdressed'
  | 'dropped';

export interface RecipientSummary {
  recipient: string;
  state: RecipientState;
  /** The event that says so; absent while nothing was tried. */
  decidedBy?: DossierEvent;
  /** What the sender wrote, where an alias or `postmaster` led here. */
  original?: string;
}

/** Summaries of one message's recipients, in the order in which they first appear. `events` are in order of time. */
export function summarise(events: readonly DossierEvent[]): RecipientSummary[] {
  const byRecipient = new Map<string, RecipientSummary>();
  for (const event of events) {
    const { recipient } = event;
    if (recipient === undefined) continue;
    // Junk is not passed on: who it was judged for may not be who gets it.
    if (event.event === 'judged' && !byRecipient.has(recipient)) continue;
    const summary = byRecipient.get(recipient) ?? { recipient, state: 'underway' };
    byRecipient.set(recipient, { ...summary, ...changeBy(event) });
  }
  return [...byRecipient.values()];
}

function changeBy(event: DossierEvent): Partial<RecipientSummary> {
  if (event.event === 'redirected') return { original: event.data.from };
  const state = stateAfter(event);
  return state === undefined ? {} : { state, decidedBy: event };
}

function stateAfter(event: DossierEvent): RecipientState | undefined {
  switch (event.event) {
    case 'delivered':
    case 'failed':
    case 'held':
    case 'readdressed':
    case 'dropped':
      return event.event;
    case 'released':
      return 'deferred';
    case 'deferred':
      return event.data.nextAttemptAt === undefined ? 'unsent' : 'deferred';
    case 'inDoubt':
      return 'deferred';
    default:
      return undefined;
  }
}
