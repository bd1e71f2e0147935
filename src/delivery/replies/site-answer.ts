/**
 * What an attempt says of the receiving site rather than of the message: whether it was reached at all, and whether it
 * wants less. And what is said of mail that is not tried since its site was not reached, or was busy, a moment ago.
 */

import type { NotTried } from '../../queue/attempts.ts';
import type { FullLine, SiteTrouble } from '../../queue/sites.ts';
import { type Suspension, suspendedWhat } from '../../queue/suspensions.ts';
import { replyText } from '../../smtp/reply.ts';
import type { JobRow } from '../../store/job.ts';
import type { Attempt, Outcome, Trouble } from '../outcome.ts';
import { meaningOf } from './reply-meaning.ts';

/** A host that does not let us in lets nobody's mail in: asking it anew for each message could get us locked out. */
const loggingIn = 'authenticating';

/** Up to here the site has heard nothing of the message. */
const openingPhases = new Set([
  'connecting',
  'waiting for the greeting',
  'sending EHLO',
  'sending HELO',
  'sending LHLO',
  'sending STARTTLS',
  'negotiating TLS',
  loggingIn,
  'starting the command',
]);

/** And here all that stands behind the same machines. */
const sharedPhases = new Set(['connecting', 'waiting for the greeting', 'sending EHLO', 'sending HELO']);

/** We stopped; that is nobody's fault. */
const stopped = '4.3.2';

/**
 * Of one attempt that ended at `at`, ms since the epoch. A site that answers, be it with a refusal, is reached; but one
 * that says that it gets too much, or too fast, is to be slowed down. With `isMany` the site is one of many names: what
 * DNS, or TLS, says of one of them is not about the others. Undefined: the attempt says nothing of it.
 */
export function siteAnswer(
  outcomes: readonly Outcome[],
  at: number,
  isMany = false,
): 'reached' | SiteTrouble | undefined {
  const troubles = outcomes.filter((outcome) => outcome.kind === 'deferred');
  const tooMuch = troubles.find(asksForLess);
  if (tooMuch !== undefined) return { kind: 'busy', at, ...factsOf(tooMuch), ...namedWait(tooMuch) };
  const [first] = troubles;
  if (first === undefined || troubles.length < outcomes.length) return 'reached';
  if (troubles.every(({ isOurs }) => isOurs)) return undefined;
  const unheard = troubles.every(
    ({ phase, reply, status }) =>
      (reply === undefined || phase === loggingIn) &&
      status !== stopped &&
      (isMany ? sharedPhases.has(phase) : openingPhases.has(phase) || phase.startsWith('looking up')),
  );
  return unheard ? { kind: 'down', at, ...factsOf(first), ...clearTextOf(first) } : 'reached';
}

const factsOf = ({ status, phase, reason }: Trouble) => ({ status, phase, reason });

const clearTextOf = ({ clearTextFrom }: { clearTextFrom?: number }): { clearTextFrom?: number } =>
  clearTextFrom === undefined ? {} : { clearTextFrom };

const namedWait = ({ reply }: Trouble): { waitMs?: number } => {
  const waitMs = reply && meaningOf(reply)?.waitMs;
  return waitMs === undefined ? {} : { waitMs };
};

/** About one mailbox (RFC 3463 §3.3) or the recipients of one message (§3.6): of others the site may take more. */
const ofOneMessage = /^4\.(?:2\.|5\.3$)/;

/** It is the connection that has had enough, and the next one is welcome: Yahoo ends each after 20 messages so. */
const ofOneConnection =
  /(?:messages?|mails?|e-?mails?|transactions?|commands?) (?:per|for|in|on) (?:this |each |a |one )?(?:connection|session)/i;

/**
 * A refusal of the pace, or of us, whatever the message: who minds our address minds it in every message. Greylisting is
 * none: it is about one sender and one recipient.
 */
function asksForLess({ reply, status }: Trouble): boolean {
  const meaning = reply && meaningOf(reply)?.meaning;
  if (reply === undefined || (meaning !== 'pace' && meaning !== 'identity')) return false;
  if (ofOneConnection.test(replyText(reply))) return false;
  return reply.code === 421 || !ofOneMessage.test(status);
}

/** The attempt that is not made. */
export function notTried(jobs: readonly JobRow[], why: NotTried): Attempt {
  const trouble = 'scope' in why ? suspended(why) : unreached(why);
  return { outcomes: jobs.map(() => ({ kind: 'deferred', ...trouble })), events: [] };
}

const whyNot: Record<(SiteTrouble | FullLine)['kind'], string> = {
  down: 'was not reached',
  busy: 'asked us to slow down',
  full: 'had a full line',
};

function unreached(why: SiteTrouble | FullLine): Trouble {
  const { kind, at, status, phase, reason } = why;
  // Where DNS failed there was no site to be reached.
  const what = phase.startsWith('looking up') ? 'no route was found' : `the site ${whyNot[kind]}`;
  const rule = `${what} at ${new Date(at).toISOString()}: not tried, later again`;
  return { status, phase, reason, rule, ...clearTextOf(why) };
}

/** 4.3.2: the system does not take part for now (RFC 3463 §3.4). */
function suspended({ by, at, until, reason, ...what }: Suspension): Trouble {
  const end = until === undefined ? 'until it is resumed' : `until ${new Date(until).toISOString()}`;
  return {
    status: '4.3.2',
    phase: 'waiting in the queue',
    reason: `${suspendedWhat(what)} is suspended by ${by}${reason === undefined ? '' : `: ${reason}`}`,
    rule: `suspended at ${new Date(at).toISOString()}: not tried ${end}`,
  };
}
