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

import {
  addWaiting,
  endGroup,
  failed,
  forgetIfUnknown,
  type Group,
  noSites,
  reached,
  receptionOf,
  type Sites,
  type SiteTrouble,
  siteOf,
  takeWaiting,
  tryAllAgain,
} from './sites.ts';

export type { Group, SiteTrouble };

export interface ScheduleLimits {
  /** Groups at once, but for those of sites that are apart. */
  concurrency: number;
  perSite(site: string): number;
  /** Sites whose groups take nobody's place: local delivery waits for no remote host. */
  apart(site: string): boolean;
  /** Jobs in memory, waiting or being delivered. */
  maxHeld: number;
}

export interface ScheduleState<G extends Group> {
  limits: ScheduleLimits;
  sites: Sites<G>;
  /** Sites with waiting groups and a free place, in the order of their turns: those with a probe, those apart, all others. */
  turns: Record<'ordinary' | 'probes' | 'apart', Set<string>>;
  /** Groups under way, without those of sites that are apart. */
  active: number;
  held: number;
  /** A claim is under way; its answer is awaited. */
  claiming: boolean;
  /** The last claim, and whether something could not be held since. */
  claimedAt: number;
  hasPutBack: boolean;
  /** When the store has, or may have, a job that is due. */
  dueAt: number;
  /** The tick that was asked for last and has not come. */
  wakeAt: number | undefined;
}

export type ScheduleEvent<G extends Group> =
  /** Claimed jobs are in memory. They count as held from `reserved` on, or from here. */
  | { type: 'ready'; group: G }
  /** Its site was reached, or why not; neither where the attempt came to nothing by a fault of ours. */
  | { type: 'finished'; group: G; site?: 'reached' | SiteTrouble }
  /** Jobs were inserted claimed, and will come as `ready` groups. */
  | { type: 'reserved'; jobCount: number }
  /** A reservation came to nothing. */
  | { type: 'cancelled'; jobCount: number }
  /** The store has an unclaimed job for that moment. */
  | { type: 'due'; at: number }
  /** Everything in the store may be due, also what was put back: somebody has asked for it. */
  | { type: 'retried' }
  /** A claim came back with so many jobs (they are held now); `nextDueAt` is the earliest left in the store. */
  | { type: 'claimed'; jobCount: number; nextDueAt: number | undefined }
  | { type: 'tick' };

export type ScheduleCommand<G extends Group> =
  | { type: 'start'; group: G }
  | { type: 'claim'; limit: number }
  /** Give the group's jobs back to the store, which is to hold their destinations until then; they are held here no more. */
  | { type: 'putBack'; group: G; until: number }
  /** Record that the group was not tried, because its site was not reached before; it is held here no more. */
  | { type: 'defer'; group: G; cause: SiteTrouble }
  /** Send a `tick` at that moment, instead of any asked for before. */
  | { type: 'wake'; at: number };

/** Jobs are claimed in pieces of at most this many. */
const claimBatch = 500;

/** After something could not be held, the next claim waits this long; so does what found no room. */
const claimPauseMs = 500;

/** What waits for a probe looks again after this long. */
const probePauseMs = 30_000;

/** A site may have one part in so many of what is free. */
const shareOfFree = 4;

const batchOf = ({ maxHeld }: ScheduleLimits): number => Math.min(claimBatch, Math.ceil(maxHeld / 2));

export function initialSchedule<G extends Group>(limits: ScheduleLimits): ScheduleState<G> {
  return {
    limits,
    sites: noSites(),
    turns: { ordinary: new Set(), probes: new Set(), apart: new Set() },
    active: 0,
    held: 0,
    claiming: false,
    claimedAt: Number.NEGATIVE_INFINITY,
    hasPutBack: false,
    dueAt: 0, // due at once: a new start looks into the store
    wakeAt: undefined,
  };
}

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
  if (event.type === 'ready') admit(state, event.group, now, commands);
  else note(state, event, now, commands);
  startGroups(state, commands);
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
  const free = limits.maxHeld - state.held;
  if (reception === 'later' || (reception === 'probe' && 2 * sites.probeJobs > limits.maxHeld))
    turnAway(state, group, now, commands);
  else if (site.waiting.length > 0 && site.waitingJobs + group.jobCount > free / shareOfFree)
    putBack(state, group, now + claimPauseMs, commands);
  else addWaiting(sites, group, reception);
  offerTurn(state, group.site);
  forgetIfUnknown(sites, group.site);
}

/** Its site is in trouble, or may be. Who has heard nothing yet is told so, and whose time is over has waited enough. */
function turnAway<G extends Group>(
  state: ScheduleState<G>,
  group: G,
  now: number,
  commands: ScheduleCommand<G>[],
): void {
  const { trouble } = siteOf(state.sites, group.site);
  if (trouble && (group.fresh || group.expiresAt <= now)) {
    state.held -= group.jobCount;
    commands.push({ type: 'defer', group, cause: trouble.cause });
  } else putBack(state, group, Math.max(trouble?.until ?? 0, now + probePauseMs), commands);
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
    case 'retried':
      state.dueAt = now;
      tryAllAgain(state.sites);
      break;
    case 'claimed':
      state.claiming = false;
      state.held += event.jobCount;
      state.dueAt = Math.min(state.dueAt, event.nextDueAt ?? Number.POSITIVE_INFINITY);
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
  endGroup(sites, siteOf(sites, name));
  if (answer === 'reached' || isApart) reached(sites, name);
  else if (answer !== undefined)
    for (const other of failed(sites, { name, cause: answer }, now)) turnAway(state, other, now, commands);
  offerTurn(state, name);
  forgetIfUnknown(sites, name);
}

/** Its turn comes after those who wait for one already; who waits for one keeps it. */
function offerTurn<G extends Group>({ sites, turns, limits }: ScheduleState<G>, name: string): void {
  const { waiting, active, doubted, probe } = siteOf(sites, name);
  const right = limits.apart(name) ? turns.apart : probe ? turns.probes : turns.ordinary;
  const hasTurn = waiting.length > 0 && !doubted && active < limits.perSite(name);
  for (const each of Object.values(turns)) if (each !== right || !hasTurn) each.delete(name);
  if (hasTurn) right.add(name);
}

function startGroups<G extends Group>(state: ScheduleState<G>, commands: ScheduleCommand<G>[]): void {
  const { limits, sites, turns } = state;
  // A Set keeps the order of insertion: a site that is offered a turn again comes last, and these loops see it again.
  for (const name of turns.apart) startNext(state, name, commands);
  for (const name of turns.ordinary) {
    const free = limits.concurrency - state.active;
    if (free <= 0) break;
    if (shareOfFree * siteOf(sites, name).active >= free) continue; // keeps its turn until more is free
    state.active++;
    startNext(state, name, commands);
  }
  for (const name of turns.probes) {
    if (state.active >= limits.concurrency || 2 * sites.activeProbes >= limits.concurrency) break;
    state.active++;
    startNext(state, name, commands);
  }
}

function startNext<G extends Group>(
  state: ScheduleState<G>,
  name: string,
  commands: ScheduleCommand<G>[],
): void {
  for (const each of Object.values(state.turns)) each.delete(name);
  const group = takeWaiting(state.sites, siteOf(state.sites, name));
  if (group) commands.push({ type: 'start', group });
  offerTurn(state, name);
}

function claimMore<G extends Group>(
  state: ScheduleState<G>,
  now: number,
  commands: ScheduleCommand<G>[],
): void {
  if (state.claiming || state.dueAt === Number.POSITIVE_INFINITY) return;
  // What could not be held would only be claimed and put back again, over and over.
  const claimAt = Math.max(state.dueAt, state.hasPutBack ? state.claimedAt + claimPauseMs : 0);
  // Many slow sites leave little room: then little is claimed, but never nothing.
  const limit = Math.min(batchOf(state.limits), Math.ceil((state.limits.maxHeld - state.held) / 2));
  if (claimAt <= now && limit > 0) {
    state.claiming = true;
    state.claimedAt = now;
    state.hasPutBack = false;
    state.dueAt = Number.POSITIVE_INFINITY;
    commands.push({ type: 'claim', limit });
  } else if (claimAt > now && claimAt !== state.wakeAt) {
    state.wakeAt = claimAt;
    commands.push({ type: 'wake', at: claimAt });
  }
}
