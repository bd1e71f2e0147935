/**
 * What an attempt says of the receiving site rather than of the message: whether it was reached at all. And what is said
 * of mail that is not tried since its site was not reached a moment ago.
 */

import type { SiteTrouble } from '../queue/queue.ts';
import type { JobRow } from '../store/store.ts';
import type { Attempt } from './deliver.ts';
import type { Outcome } from './outcome.ts';

/** Up to here the site has heard nothing of the message. */
const openingPhases = new Set([
  'connecting',
  'waiting for the greeting',
  'sending EHLO',
  'sending HELO',
  'sending STARTTLS',
  'negotiating TLS',
]);

/** We stopped; that is nobody's fault. */
const stopped = '4.3.2';

/** Of one attempt that ended at `at`, ms since the epoch. A site that answers, be it with a refusal, is reached. */
export function siteAnswer(outcomes: readonly Outcome[], at: number): 'reached' | SiteTrouble {
  const troubles = outcomes.filter((outcome) => outcome.kind === 'deferred');
  const [first] = troubles;
  if (first === undefined || troubles.length < outcomes.length) return 'reached';
  const unheard = troubles.every(
    ({ phase, reply, status }) =>
      reply === undefined &&
      status !== stopped &&
      (openingPhases.has(phase) || phase.startsWith('looking up')),
  );
  const { status, phase, reason } = first;
  return unheard ? { at, status, phase, reason } : 'reached';
}

/** The attempt that is not made. */
export function notTried(jobs: readonly JobRow[], { at, status, phase, reason }: SiteTrouble): Attempt {
  const rule = `the site was not reached at ${new Date(at).toISOString()}: not tried, later again`;
  return { outcomes: jobs.map(() => ({ kind: 'deferred', status, phase, reason, rule })), events: [] };
}
