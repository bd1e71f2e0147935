/**
 * What is tried when, and how much at once: a deterministic step over a state. No clock, no I/O, no randomness: time
 * comes in with each event, so a recorded run replays to the same commands. The state given in is used up.
 *
 * Work comes as groups (one message's jobs for one receiving site). Two things are shared by all sites, places for
 * deliveries and room in memory, and of both a site gets no more than a share of what the others leave free: however
 * slow it is, and however much mail there is for it, the next one finds a place. Sites that could not be reached, and
 * old mail to sites that nothing is known of (sites.ts), get half of either in all. What may not be held here goes back
 * to the store, where it waits as one row for each destination.
 */

import { jobsOf } from './line.ts';
import { timeFor } from './pace.ts';
import {
  nobodyPaced,
  type ScheduleCommand,
  type ScheduleEvent,
  type ScheduleLimits,
  type ScheduleState,
  shareOfFree,
} from './schedule-state.ts';
import {
  addWaiting,
  endGroup,
  type FullLine,
  failed,
  forgetIfUnknown,
  type Group,
  limitAnew,
  reached,
  receptionOf,
  type Site,
  type SiteTrouble,
  siteOf,
  takeAllWaiting,
  tryAllAgain,
} from './sites.ts';
import { offerTurn, resumePaced, startGroups } from './turns.ts';

export {
  initialSchedule,
  type ScheduleCommand,
  type ScheduleEvent,
  type ScheduleLimits,
  type ScheduleState,
} from './schedule-state.ts';
export type { FullLine, Group, SiteTrouble };

/** Jobs are claimed in pieces of at most this many. */
const claimBatch = 500;

/** After something could not be held, the next claim waits this long; so does what found no room. */
const claimPauseMs = 500;

/** What a limit by the hour keeps waiting looks again after this long at the latest. */
const longestWaitMs = 15 * 60_000;

/** No line is longer than what its site takes in this time: who waits in the store is told of delays, and of its end. */
const longestLineMs = 60 * 60_000;

/** What waits for a probe looks again after this long. */
const probePauseMs = 30_000;

const batchOf = ({ maxHeld }: ScheduleLimits): number => Math.min(claimBatch, Math.ceil(maxHeld / 2));

/** A batch's room is left free by new mail, so that however much comes in, what waits in the store gets its turn. */
export function hasRoom<G extends Group>({ held, limits }: ScheduleState<G>, jobCount: number): boolean {
  return held + jobCount <= limits.maxHeld - batchOf(limits);
}

export function step<G extends Group>(
  state: ScheduleState<G>,
  event: ScheduleEvent<G>,
  now: number,
): { state: ScheduleState<G>; commands: ScheduleCommand<G>[] } {
  const commands: ScheduleCommand<G>[] = [];
  resumePaced(state, now);
  if (event.type === 'ready') admit(state, event.group, now, commands);
  else note(state, event, now, commands);
  startGroups(state, now, commands);
  claimMore(state, now, commands);
  return { state, commands };
}

/** A site that nobody waits for takes any group; else it holds no more than its share of what is free. */
function admit<G extends Group>(
  state: ScheduleState<G>,
  group: G,
  now: number,
  commands: ScheduleCommand<G>[],
): void {
  const { limits, sites } = state;
  const site = siteOf(sites, group.site);
  const reception = limits.apart(group.site) ? 'ordinary' : receptionOf(site, group, now);
  if (reception === 'later' || (reception === 'probe' && 2 * sites.probeJobs > limits.maxHeld))
    turnAway(state, group, now, commands);
  else if (hasRoomInLine(state, site, group)) addWaiting(sites, group, reception);
  else if (group.expiresAt <= now) defer(state, group, lineIsFull(now), commands);
  else putBack(state, group, now + Math.max(claimPauseMs, waitInLine(site)), commands);
  offerTurn(state, group.site, now);
  forgetIfUnknown(sites, group.site);
}

/** Where one sender's mail has taken the site's share, others with little of theirs in line still find as much again. */
function hasRoomInLine<G extends Group>(state: ScheduleState<G>, site: Site<G>, group: G): boolean {
  const { waiting } = site;
  if (waiting.groups === 0) return true;
  if (timeInLine(site) > longestLineMs) return false;
  const share = (state.limits.maxHeld - state.held) / shareOfFree;
  const jobs = waiting.jobs + group.jobCount;
  if (jobs <= share) return true;
  const own = jobsOf(waiting, group.sender) + group.jobCount;
  return jobs <= 2 * share && own * shareOfFree <= share;
}

/** How long the last in line waits, if things go on as they do. */
const timeInLine = <G extends Group>({ limits, waiting, pace, meanMs }: Site<G>): number =>
  Math.max(timeFor(limits, waiting.groups), (waiting.groups * meanMs) / pace.allowed);

/** What is at its end, and finds no room in line, is given up: there is more of it than the site takes. */
const lineIsFull = (at: number): FullLine => ({
  kind: 'full',
  at,
  status: '4.4.7',
  phase: 'waiting in the queue',
  reason: 'there is more mail for this site than it takes',
});

/** What a limit by the hour lets through only later need not look again before half of that time is over. */
const waitInLine = <G extends Group>({ limits, waiting }: Site<G>): number =>
  Math.min(longestWaitMs, timeFor(limits, waiting.groups / 2));

/** Its site is in trouble, or may be. Who has heard nothing yet is told so, and whose time is over has waited enough. */
function turnAway<G extends Group>(
  state: ScheduleState<G>,
  group: G,
  now: number,
  commands: ScheduleCommand<G>[],
): void {
  const { trouble } = siteOf(state.sites, group.site);
  if (trouble && (group.fresh || group.expiresAt <= now)) defer(state, group, trouble.cause, commands);
  else putBack(state, group, Math.max(trouble?.until ?? 0, now + probePauseMs), commands);
}

function defer<G extends Group>(
  state: ScheduleState<G>,
  group: G,
  cause: SiteTrouble | FullLine,
  commands: ScheduleCommand<G>[],
): void {
  state.held -= group.jobCount;
  commands.push({ type: 'defer', group, cause });
}

function putBack<G extends Group>(
  state: ScheduleState<G>,
  group: G,
  until: number,
  commands: ScheduleCommand<G>[],
): void {
  state.held -= group.jobCount;
  state.hasPutBack = true;
  state.dueAt = Math.min(state.dueAt, until);
  commands.push({ type: 'putBack', group, until });
}

function note<G extends Group>(
  state: ScheduleState<G>,
  event: Exclude<ScheduleEvent<G>, { type: 'ready' }>,
  now: number,
  commands: ScheduleCommand<G>[],
): void {
  switch (event.type) {
    case 'reserved':
      state.held += event.jobCount;
      break;
    case 'cancelled':
      state.held -= event.jobCount;
      break;
    case 'finished':
      finish(state, event, now, commands);
      break;
    case 'due':
      state.dueAt = Math.min(state.dueAt, event.at);
      break;
    case 'recalled':
      for (const group of takeAllWaiting(state.sites)) {
        putBack(state, group, now + claimPauseMs, commands);
        offerTurn(state, group.site, now);
        forgetIfUnknown(state.sites, group.site);
      }
      break;
    case 'retried':
      state.dueAt = now;
      tryAllAgain(state.sites);
      break;
    case 'claimed':
      state.claiming = false;
      state.held += event.jobCount;
      state.dueAt = Math.min(state.dueAt, event.nextDueAt ?? Number.POSITIVE_INFINITY);
      break;
    case 'limited':
      state.limits = { ...state.limits, concurrency: event.concurrency };
      limitAnew(state.sites);
      state.paced = nobodyPaced();
      for (const name of state.sites.byName.keys()) offerTurn(state, name, now);
      break;
    case 'tick':
      state.wakeAt = undefined;
      break;
  }
}

function finish<G extends Group>(
  state: ScheduleState<G>,
  { group, site: answer }: ScheduleEvent<G> & { type: 'finished' },
  now: number,
  commands: ScheduleCommand<G>[],
): void {
  const { limits, sites } = state;
  const name = group.site;
  const isApart = limits.apart(name);
  if (!isApart) state.active--;
  state.held -= group.jobCount;
  const site = siteOf(sites, name);
  const wasFull = site.active >= site.pace.allowed;
  endGroup(sites, site, now);
  if (answer === 'reached' || isApart) reached(sites, name, wasFull);
  else if (answer !== undefined)
    for (const other of failed(sites, { name, cause: answer }, now)) turnAway(state, other, now, commands);
  offerTurn(state, name, now);
  forgetIfUnknown(sites, name);
}

function claimMore<G extends Group>(
  state: ScheduleState<G>,
  now: number,
  commands: ScheduleCommand<G>[],
): void {
  // What could not be held would only be claimed and put back again, over and over.
  const claimAt = Math.max(state.dueAt, state.hasPutBack ? state.claimedAt + claimPauseMs : 0);
  // Many slow sites leave little room: then little is claimed, but never nothing.
  const limit = Math.min(batchOf(state.limits), Math.ceil((state.limits.maxHeld - state.held) / 2));
  const mayClaim = !state.claiming && state.dueAt < Number.POSITIVE_INFINITY;
  if (mayClaim && claimAt <= now && limit > 0) {
    state.claiming = true;
    state.claimedAt = now;
    state.hasPutBack = false;
    state.dueAt = Number.POSITIVE_INFINITY;
    commands.push({ type: 'claim', limit });
  }
  const wakeAt = Math.min(mayClaim && claimAt > now ? claimAt : Number.POSITIVE_INFINITY, state.paced.nextAt);
  if (wakeAt < Number.POSITIVE_INFINITY && wakeAt !== state.wakeAt) {
    state.wakeAt = wakeAt;
    commands.push({ type: 'wake', at: wakeAt });
  }
}
