/**
 * The road out, top to bottom: what becomes of a group of jobs, one message's for one receiving site.
 * route → dialogue → an outcome per recipient → what follows from it → reports → one transaction.
 * RFC 5321 §5.1 (route), §3 and §4.5.3.2 (dialogue), §4.5.4.1 (retry); RFC 3464 (reports).
 */

import type { Resolver } from '../dns/resolver.ts';
import type { DossierEvent } from '../dossier/event.ts';
import type { FailedRecipient } from '../dsn/failure.ts';
import type { ReachedRecipient } from '../dsn/success.ts';
import type { DeliveryGroup, Queue, SiteTrouble } from '../queue/queue.ts';
import { nextAttempt, type RetryPolicy } from '../queue/retry.ts';
import { firstDownMs } from '../queue/sites.ts';
import { replyText } from '../smtp/reply.ts';
import { octetsOf } from '../store/octets.ts';
import type { JobResult, JobRow, MessageRow } from '../store/store.ts';
import { fallbackOf } from './fallback.ts';
import { deliverLocally, type LocalParts } from './local.ts';
import type { Outcome, Trouble } from './outcome.ts';
import { findCopyTrouble } from './own-copy.ts';
import { type ReportParts, reportsFor } from './report.ts';
import { findRoute, type RouteOptions, routedData } from './route.ts';
import { type SendParts, send } from './send.ts';
import { notTried, siteAnswer } from './site-answer.ts';
import { namesOf, reachedBy, unwantedBy } from './wanted-reports.ts';

export interface DeliverParts {
  queue: Pick<Queue, 'settle'>;
  resolver: Resolver;
  route: RouteOptions;
  send: SendParts;
  local: LocalParts;
  report: ReportParts;
  /** Default: that of a configuration that says nothing. */
  retry?: RetryPolicy;
}

/** An outcome for each job, in their order, and what happened on the way. */
export interface Attempt {
  outcomes: readonly Outcome[];
  events: readonly DossierEvent[];
}

/**
 * Tries a group and settles it; resolves to whether its site was reached, or why not. With `untried` it is only recorded
 * that the group was not tried. Rejects only if the store cannot take the result: then the jobs stay claimed.
 */
export async function deliver(
  parts: DeliverParts,
  group: DeliveryGroup,
  signal: AbortSignal,
  untried?: SiteTrouble,
): Promise<'reached' | SiteTrouble> {
  const { message, jobs } = group;
  const attempt = untried ? notTried(jobs, untried) : await attemptGroup(parts, group, signal);
  const now = parts.route.clock.now();
  const isMany = parts.send.tables?.named(group.site) !== undefined;
  const site = untried ?? siteAnswer(attempt.outcomes, now, isMany);
  const decisions = jobs.map((job, index) => decide(parts, job, attempt.outcomes[index] ?? forgotten, now));
  const failures = decisions.flatMap(({ failure }) => (failure ? [failure] : []));
  const reached = decisions.flatMap((decision) => (decision.reached ? [decision.reached] : []));
  const reports = await reportsFor(parts.report, message, { failures, reached });
  await parts.queue.settle({
    queueId: message.queueId,
    results: decisions.map(({ result }) => result),
    events: [
      ...doubts(jobs, message.queueId, now),
      ...attempt.events,
      ...decisions.map(({ event }) => event),
      ...reports.events,
    ],
    reports: reports.entries,
    ...(site !== 'reached' && { holdUntil: now + firstDownMs }),
  });
  return site;
}

function attemptGroup(
  parts: DeliverParts,
  { message, jobs }: DeliveryGroup,
  signal: AbortSignal,
): Promise<Attempt> {
  return jobs[0]?.kind === 'local'
    ? deliverLocally(parts.local, message, jobs)
    : deliverRemotely(parts, message, jobs, signal);
}

/** Tries the jobs of one message that lead to one receiving site. */
export async function deliverRemotely(
  parts: Pick<DeliverParts, 'resolver' | 'route' | 'send'>,
  message: MessageRow,
  jobs: readonly JobRow[],
  signal: AbortSignal,
): Promise<Attempt> {
  const copyTrouble = await findCopyTrouble(message.content);
  if (copyTrouble !== undefined) return { outcomes: jobs.map(() => copyTrouble), events: [] };
  const { clock } = parts.route;
  const at = clock.now();
  const route = await findRoute(parts.resolver, jobs[0]?.destination ?? '', { ...parts.route, signal });
  const routed: DossierEvent = { at, queueId: message.queueId, event: 'routed', data: routedData(route) };
  if (route.kind !== 'route') return { outcomes: jobs.map(() => route), events: [routed] };
  const { outcomes, events } = await send(parts.send, {
    route,
    message,
    content: () => octetsOf([message.prefix], message.content),
    jobs,
    signal,
    fallback: fallbackOf(parts.resolver, parts.route, { route, queueId: message.queueId, signal }),
  });
  return {
    outcomes: jobs.map(({ number }) => outcomes.get(number) ?? forgotten),
    events: [routed, ...events],
  };
}

interface Decision {
  result: JobResult;
  event: DossierEvent;
  /** Given up for good: somebody must be told. */
  failure?: FailedRecipient;
  /** The sender wanted to hear of it. */
  reached?: ReachedRecipient;
}

/** What follows from an outcome: done, another attempt, or the end. */
function decide(
  { route: { random }, retry }: DeliverParts,
  job: JobRow,
  outcome: Outcome,
  now: number,
): Decision {
  const { queueId, number, recipient } = job;
  if (outcome.kind === 'delivered') {
    const reached = reachedBy(job, outcome, now);
    const event = deliveredEvent(job, outcome, now);
    return { result: { number, result: 'done' }, event, ...(reached && { reached }) };
  }
  const facts = factsOf(outcome);
  const nextAttemptAt = outcome.kind === 'failed' ? undefined : nextAttempt(job, now, random, retry);
  if (nextAttemptAt === undefined) return giveUp(job, outcome, facts, now);
  return {
    result: { number, result: 'retry', nextAttemptAt, lastError: facts.reason },
    event: {
      at: now,
      queueId,
      recipient,
      event: 'deferred',
      data: { ...facts, attempts: job.attempts + 1, nextAttemptAt },
    },
  };
}

export function deliveredEvent(
  { queueId, recipient }: JobRow,
  { endpoint, folder, file, reply }: Outcome & { kind: 'delivered' },
  at: number,
): DossierEvent {
  const data = { ...defined({ endpoint, folder, file }), ...(reply && { reply: replyText(reply) }) };
  return { at, queueId, recipient, event: 'delivered', data };
}

/** A refusal for good, or the end of a job's time: never in silence (requirement "not" 7). */
function giveUp(
  job: JobRow,
  outcome: Exclude<Outcome, { kind: 'delivered' }>,
  facts: Facts,
  now: number,
): Decision {
  const { queueId, number, recipient } = job;
  const rule = outcome.kind === 'failed' ? facts.rule : `${facts.rule}, but its time is over: given up`;
  const failure: FailedRecipient = {
    ...namesOf(job),
    ...facts,
    rule,
    lastAttemptAt: now,
    ...unwantedBy(job),
    ...defined({ reply: outcome.reply }),
  };
  return {
    result: { number, result: 'done' },
    event: { at: now, queueId, recipient, event: 'failed', data: { ...facts, rule } },
    failure,
  };
}

type Facts = Pick<Trouble, 'status' | 'phase' | 'rule' | 'reason' | 'endpoint' | 'copyIsDamaged'>;

/** What a dossier keeps of trouble. */
export function factsOf({ status, phase, rule, reason, endpoint, copyIsDamaged }: Trouble): Facts {
  return { status, phase, rule, reason, ...defined({ endpoint, copyIsDamaged }) };
}

/** An attempt that says nothing about a recipient is a bug; the recipient is tried again. */
const forgotten: Outcome = {
  kind: 'deferred',
  status: '4.3.0',
  phase: 'delivering',
  reason: 'the attempt ended without an outcome for this recipient',
  rule: 'internal error: try again later',
};

function doubts(jobs: readonly JobRow[], queueId: string, at: number): DossierEvent[] {
  const rule = 'the server stopped while this was being tried: it is tried again, and may arrive twice';
  return jobs
    .filter(({ inDoubt }) => inDoubt)
    .map(({ recipient }) => ({ at, queueId, recipient, event: 'inDoubt', data: { rule } }));
}

/** The object without its undefined properties, as `exactOptionalPropertyTypes` wants it. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Object.fromEntries() forgets the keys' types; they are those of T.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
