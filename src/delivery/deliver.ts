/**
 * The road out, top to bottom: what becomes of a group of jobs, one message's for one receiving site.
 * route → TLS policy → dialogue → an outcome per recipient → what follows from it → reports → one transaction.
 * RFC 5321 §5.1 (route), §3 and §4.5.3.2 (dialogue), §4.5.4.1 (retry); RFC 3464 (reports).
 */

import type { Resolver } from '../dns/resolver.ts';
import type { DossierEvent } from '../dossier/event.ts';
import type { NotTried } from '../queue/attempts.ts';
import type { DeliveryGroup } from '../queue/hand-out.ts';
import { isInDoubt } from '../queue/hand-out.ts';
import type { Queue } from '../queue/queue.ts';
import { attemptsMade, defaultRetryPolicy, type RetryPolicy } from '../queue/retry.ts';
import type { SiteTrouble } from '../queue/sites.ts';
import { firstDownMs } from '../queue/sites.ts';
import { lookAgainAt, type Suspension, suspensionEnd } from '../queue/suspensions.ts';
import type { JobRow } from '../store/job.ts';
import { type MessageRow, tracedAs } from '../store/message.ts';
import type { Log } from '../util/log.ts';
import { type Decision, type DecisionParts, decide } from './decision.ts';
import { tryInTime } from './deliver-by.ts';
import { contentOf, type Sent, toAll } from './delivery.ts';
import { type Envelope, type ForwardingParts, mayBePassedOn, sendPassedOn } from './forwarding.ts';
import { deliverLocally, type LocalParts } from './local.ts';
import { type Attempt, forgotten, interrupted, type Outcome } from './outcome.ts';
import { findCopyTrouble } from './own-copy.ts';
import type { Receivers } from './receivers/receivers.ts';
import { notTried, siteAnswer } from './replies/site-answer.ts';
import type { ReportParts } from './reports/report.ts';
import { tell } from './reports/telling.ts';
import { fallbackOf } from './route/fallback.ts';
import { findLegs, type Leg } from './route/legs.ts';
import type { RouteOptions } from './route/route.ts';
import { isTransport } from './route/sites.ts';
import { type SendParts, send } from './send.ts';
import type { TlsParts } from './tls/tls-policy.ts';
import { sendByTransport, withTransport } from './transports/by-transport.ts';
import type { Transports } from './transports/transports.ts';

export interface DeliverParts {
  queue: Pick<Queue, 'settle'>;
  resolver: Resolver;
  route: RouteOptions;
  send: SendParts;
  /** Default: everything goes by MX. */
  transports?: Pick<Transports, 'find' | 'isSplit'>;
  /** Absent: TLS is opportunistic everywhere. */
  tls?: TlsParts;
  local: LocalParts;
  report: ReportParts;
  log: Log;
  /** Default: that of a configuration that says nothing. */
  retry?: RetryPolicy;
  /** Without them, greylisting is waited out by the schedule. */
  receivers?: Receivers;
  /** Without it, what is passed on goes out under the sender's own reverse-path. */
  forwarding?: ForwardingParts;
  /** Told what has become of what one of our users sent, once that is on disk. */
  noteOutcomes?(submitter: string, events: readonly DossierEvent[]): void;
}

/**
 * Tries a group and settles it; resolves to whether its site was reached, or why not; undefined where all was in doubt,
 * and nothing tried. With `untried` it is only recorded that the group was not tried. Rejects only if the store cannot take the result: then the jobs stay claimed.
 */
export async function deliver(
  parts: DeliverParts,
  group: DeliveryGroup,
  signal: AbortSignal,
  untried?: NotTried,
): Promise<'reached' | SiteTrouble | undefined> {
  const { message, jobs } = group;
  const certain = jobs.some(isInDoubt) ? jobs.filter((job) => !isInDoubt(job)) : jobs;
  const attempt = untried
    ? notTried(certain, untried)
    : await learning(parts, { ...group, jobs: certain }, signal);
  const now = parts.route.clock.now();
  const suspension = untried && 'scope' in untried ? untried : undefined;
  const isMany = parts.send.tables?.named(group.site) !== undefined;
  const answer = certain.length === 0 ? undefined : siteAnswer(attempt.outcomes, now, isMany);
  const site = untried && 'kind' in untried && untried.kind !== 'full' ? untried : answer;
  const decisionParts = decisionPartsOf(parts, group.site, now);
  let tried = 0;
  const decided = jobs.map((job) => {
    const outcome = isInDoubt(job) ? interrupted : (attempt.outcomes[tried++] ?? forgotten);
    const decided = decide(decisionParts, job, outcome);
    const decision = untried && !isInDoubt(job) ? putOff(job, decided) : decided;
    if (!suspension) return { job, outcome, decision };
    const dueAt = isSplit(parts, jobs) ? lookAgainAt(suspension, now) : now;
    return { job, outcome, decision: waitFor(suspension, { job, decision, dueAt }) };
  });
  const { decisions, reports } = await tell({ report: parts.report, log: parts.log, now }, message, decided);
  const isUnreached = site !== undefined && site !== 'reached';
  const downUntil = isUnreached ? now + firstDownMs : undefined;
  const holdUntil = suspension ? suspensionEnd(suspension) : downUntil;
  await parts.queue.settle({
    queueId: message.queueId,
    results: decisions.map(({ result }) => result),
    events: [
      ...localDoubts(certain, message.queueId, now),
      ...attempt.events,
      ...decisions.flatMap(({ event, arrived }) => (arrived ? [event, arrived] : [event])),
      ...reports.events,
    ],
    reports: reports.entries,
    ...tracedAs(message),
    // Where mail for one domain takes different ways, another one may be open.
    ...(holdUntil !== undefined && !isSplit(parts, jobs) && { holdUntil }),
  });
  if (message.submitter !== undefined)
    parts.noteOutcomes?.(
      message.submitter,
      decisions.map(({ event }) => event),
    );
  return site;
}

const isSplit = ({ transports }: DeliverParts, jobs: readonly JobRow[]): boolean =>
  jobs.some(({ destination }) => transports?.isSplit(destination));

function decisionPartsOf(parts: DeliverParts, site: string, now: number): DecisionParts {
  const { route, receivers, retry = defaultRetryPolicy } = parts;
  const common = { retry, random: route.random, now };
  if (!receivers) return common;
  return { ...common, greylisting: (job, trouble) => receivers.greylisting(site, job, trouble, retry) };
}

/** Makes the attempt, and remembers what it has shown of the receiver. */
function learning(
  parts: DeliverParts,
  { site, message, jobs }: Pick<DeliveryGroup, 'site' | 'message' | 'jobs'>,
  signal: AbortSignal,
): Promise<Attempt> {
  const attempt = attemptGroup(parts, { message, jobs }, signal);
  // A transport is the operator's own choice, with limits of its own: nothing of it is learned.
  if (jobs[0]?.kind !== 'remote' || isTransport(site)) return attempt;
  const ended = parts.receivers?.begin(site);
  if (ended)
    void attempt.then(
      (seen) => ended({ jobs, ...seen }),
      () => ended({ jobs, outcomes: [], events: [] }), // told to who awaits the attempt
    );
  return attempt;
}

function attemptGroup(
  parts: DeliverParts,
  { message, jobs }: Pick<DeliveryGroup, 'message' | 'jobs'>,
  signal: AbortSignal,
): Promise<Attempt> {
  if (jobs.length === 0) return Promise.resolve({ outcomes: [], events: [] });
  return tryInTime(jobs, parts.route.clock.now(), (inTime) =>
    inTime[0]?.kind === 'local'
      ? deliverLocally(parts.local, message, inTime)
      : deliverRemotely(parts, message, inTime, signal),
  );
}

type RemoteParts = Pick<DeliverParts, 'resolver' | 'route' | 'send' | 'transports' | 'tls' | 'forwarding'>;

/** Tries the jobs of one message that lead to one receiving site. */
export async function deliverRemotely(
  parts: RemoteParts,
  message: MessageRow,
  jobs: readonly JobRow[],
  signal: AbortSignal,
): Promise<Attempt> {
  const copyTrouble = await findCopyTrouble(message.content);
  if (copyTrouble !== undefined) return { outcomes: jobs.map(() => copyTrouble), events: [] };
  // By whom it came, even where it is passed on under another name: so it was sorted.
  const chosen = parts.transports?.find(jobs[0]?.destination ?? '', message);
  const sendOne = ({ message, jobs }: Envelope): Promise<Sent> =>
    chosen === undefined || chosen.transport.kind === 'mx'
      ? sendByMx(parts, message, jobs, signal)
      : sendByTransport(parts, { message, jobs, transport: chosen.transport, signal });
  const { outcomes, events } =
    parts.forwarding && mayBePassedOn(jobs)
      ? await sendPassedOn(parts.forwarding, { message, jobs }, sendOne)
      : await sendOne({ message, jobs });
  return {
    outcomes: jobs.map(({ number }) => outcomes.get(number) ?? forgotten),
    events: chosen ? events.map((event) => withTransport(event, chosen)) : events,
  };
}

async function sendByMx(
  parts: RemoteParts,
  message: MessageRow,
  jobs: readonly JobRow[],
  signal: AbortSignal,
): Promise<Sent> {
  const outcomes = new Map<number, Outcome>();
  const events: DossierEvent[] = [];
  for (const leg of await findLegs(parts, message, jobs, signal)) {
    const sent = await sendLeg(parts, message, leg, signal);
    for (const [number, outcome] of sent.outcomes) outcomes.set(number, outcome);
    events.push(leg.routed, ...sent.events);
  }
  return { outcomes, events };
}

async function sendLeg(
  parts: RemoteParts,
  message: MessageRow,
  { way, jobs }: Leg,
  signal: AbortSignal,
): Promise<Sent> {
  if ('kind' in way) return toAll(jobs, way);
  if (way.trouble !== undefined) return toAll(jobs, way.trouble);
  const { route, policies, shared, forbidsGuesses, isIncomplete } = way;
  const { queueId } = message;
  return send(parts.send, {
    ...contentOf(message),
    route,
    policies,
    ...(shared && { shared }),
    ...(isIncomplete && { isIncomplete }),
    jobs,
    signal,
    ...(!forbidsGuesses && { fallback: fallbackOf(parts.resolver, parts.route, { route, queueId, signal }) }),
  });
}

/** It takes a step of the schedule, or it would be new mail again; but no attempt was made. */
function putOff(job: JobRow, decision: Decision): Decision {
  const { result, event } = decision;
  if (result.result !== 'retry' || event.event !== 'deferred') return decision;
  const memo = { ...result.memo, putOff: (job.memo?.putOff ?? 0) + 1 };
  const data = { ...event.data, attempts: attemptsMade(job) };
  return { ...decision, result: { ...result, memo }, event: { ...event, data } };
}

interface Suspended {
  job: JobRow;
  decision: Decision;
  dueAt: number;
}

/**
 * What is not given up is due, but its destination is held: it goes on as soon as the suspension ends. Where it cannot be
 * held, since other mail for it may go, it is due later. What went wrong last is still what did before.
 */
function waitFor(suspension: Suspension, { job, decision, dueAt }: Suspended): Decision {
  const { result, event } = decision;
  if (result.result !== 'retry' || event.event !== 'deferred') return decision;
  const data = { ...event.data, nextAttemptAt: suspensionEnd(suspension) };
  return {
    ...decision,
    result: { ...result, nextAttemptAt: dueAt, lastError: job.lastError ?? '' },
    event: { ...event, data },
  };
}

function localDoubts(jobs: readonly JobRow[], queueId: string, at: number): DossierEvent[] {
  const rule = 'the server stopped while this was being tried: it is tried again';
  return jobs
    .filter(({ inDoubt }) => inDoubt)
    .map(({ recipient }) => ({ at, queueId, recipient, event: 'inDoubt', data: { rule } }));
}
