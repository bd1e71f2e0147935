/**
 * What is tried when, and how much at once: a deterministic step over a state. No clock, no I/O, no randomness: time
 * comes in with each event, so a recorded run replays to the same commands. The state given in is used up.
 *
 * Work comes as groups (one message's jobs for one receiving site). Two things are shared by all sites, places for
 * deliveries and room in memory, and of both a site gets no more than a share of what the others leave free: however
 * slow it is, and however much mail there is for it, the next one finds a place. What a site may not hold goes back to
 * the store, for longer each time; what finds no room at all stays there until it is claimed.
 */

export interface Group {
  /** The receiving site; one site shares connections. */
  site: string;
  jobCount: number;
}

export interface ScheduleLimits {
  /** Groups at once, but for those of sites that are apart. */
  concurrency: number;
  perSite(site: string): number;
  /** Sites whose groups take nobody's place: local delivery waits for no remote host. */
  apart(site: string): boolean;
  /** Jobs in memory, waiting or being delivered. */
  maxHeld: number;
}

interface Site<G> {
  active: number;
  waiting: G[];
  /** Jobs in `waiting`. */
  waitingJobs: number;
  /** What found no room here comes back at this moment, and then, if there is none again, after this long. */
  awayUntil: number;
  awayMs: number;
}

export interface ScheduleState<G extends Group> {
  limits: ScheduleLimits;
  sites: Map<string, Site<G>>;
  /** Sites with waiting groups and a free place, in the order of their turns. */
  turns: Set<string>;
  turnsApart: Set<string>;
  /** Groups under way, without those of sites that are apart. */
  active: number;
  held: number;
  /** A claim is under way; its answer is awaited. */
  claiming: boolean;
  /** When the store has, or may have, a job that is due. */
  dueAt: number;
}

export type ScheduleEvent<G extends Group> =
  /** Claimed jobs are in memory. They count as held from `reserved` on, or from here. */
  | { type: 'ready'; group: G }
  | { type: 'finished'; group: G }
  /** Jobs were inserted claimed, and will come as `ready` groups. */
  | { type: 'reserved'; jobCount: number }
  /** A reservation came to nothing. */
  | { type: 'cancelled'; jobCount: number }
  /** The store has an unclaimed job for that moment. */
  | { type: 'due'; at: number }
  /** A claim came back with so many jobs (they are held now); `nextDueAt` is the earliest left in the store. */
  | { type: 'claimed'; jobCount: number; nextDueAt: number | undefined }
  | { type: 'tick' };

export type ScheduleCommand<G extends Group> =
  | { type: 'start'; group: G }
  | { type: 'claim'; limit: number }
  /** Give the group's jobs back to the store, to be due at that moment; they are not held any more. */
  | { type: 'putBack'; group: G; until: number }
  /** Send a `tick` at that moment, instead of any asked for before. */
  | { type: 'wake'; at: number };

/** Jobs are claimed in pieces of at most this many. */
const claimBatch = 500;

/** Jobs that find no room stay away for this long at first, and for twice as long each time until there was room. */
const firstAwayMs = 15_000;
const longestAwayMs = 15 * 60_000;

/** A site may have one part in so many of what is free. */
const shareOfFree = 4;

const batchOf = ({ maxHeld }: ScheduleLimits): number => Math.min(claimBatch, Math.ceil(maxHeld / 2));

export function initialSchedule<G extends Group>(limits: ScheduleLimits): ScheduleState<G> {
  const empty = {
    sites: new Map(),
    turns: new Set<string>(),
    turnsApart: new Set<string>(),
    active: 0,
    held: 0,
    claiming: false,
  };
  return { ...empty, limits, dueAt: 0 }; // due at once: a new start looks into the store
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
  else note(state, event);
  startGroups(state, commands);
  claimMore(state, event, now, commands);
  return { state, commands };
}

/** A site that nobody waits for takes any group; else it holds no more than its share of what is free. */
function admit<G extends Group>(
  state: ScheduleState<G>,
  group: G,
  now: number,
  commands: ScheduleCommand<G>[],
): void {
  const site = siteOf(state, group.site);
  const free = state.limits.maxHeld - state.held;
  if (site.waiting.length > 0 && site.waitingJobs + group.jobCount > free / shareOfFree) {
    state.held -= group.jobCount;
    const until = awayUntil(site, now);
    state.dueAt = Math.min(state.dueAt, until);
    commands.push({ type: 'putBack', group, until });
    return;
  }
  site.waiting.push(group);
  site.waitingJobs += group.jobCount;
  offerTurn(state, group.site);
}

/** All that finds no room in one round comes back together; each further round is longer. */
function awayUntil<G>(site: Site<G>, now: number): number {
  if (site.awayUntil <= now) {
    site.awayUntil = now + site.awayMs;
    site.awayMs = Math.min(2 * site.awayMs, longestAwayMs);
  }
  return site.awayUntil;
}

function note<G extends Group>(
  state: ScheduleState<G>,
  event: Exclude<ScheduleEvent<G>, { type: 'ready' }>,
): void {
  switch (event.type) {
    case 'reserved':
      state.held += event.jobCount;
      break;
    case 'cancelled':
      state.held -= event.jobCount;
      break;
    case 'finished':
      finish(state, event.group);
      break;
    case 'due':
      state.dueAt = Math.min(state.dueAt, event.at);
      break;
    case 'claimed':
      state.claiming = false;
      state.held += event.jobCount;
      state.dueAt = Math.min(state.dueAt, event.nextDueAt ?? Number.POSITIVE_INFINITY);
      break;
    case 'tick':
      break;
  }
}

function siteOf<G extends Group>(state: ScheduleState<G>, name: string): Site<G> {
  let site = state.sites.get(name);
  if (!site) {
    site = { active: 0, waiting: [], waitingJobs: 0, awayUntil: 0, awayMs: firstAwayMs };
    state.sites.set(name, site);
  }
  return site;
}

function offerTurn<G extends Group>(state: ScheduleState<G>, name: string): void {
  const site = siteOf(state, name);
  if (site.waiting.length > 0 && site.active < state.limits.perSite(name)) turnsOf(state, name).add(name);
}

const turnsOf = <G extends Group>(
  { limits, turns, turnsApart }: ScheduleState<G>,
  name: string,
): Set<string> => (limits.apart(name) ? turnsApart : turns);

function finish<G extends Group>(state: ScheduleState<G>, group: G): void {
  if (!state.limits.apart(group.site)) state.active--;
  state.held -= group.jobCount;
  const site = siteOf(state, group.site);
  site.active--;
  if (site.active === 0 && site.waiting.length === 0) state.sites.delete(group.site);
  else offerTurn(state, group.site);
}

function startGroups<G extends Group>(state: ScheduleState<G>, commands: ScheduleCommand<G>[]): void {
  // A Set keeps the order of insertion: a site that is offered a turn again comes last, and these loops see it again.
  for (const name of state.turnsApart) startNext(state, name, commands);
  for (const name of state.turns) {
    const free = state.limits.concurrency - state.active;
    if (free <= 0) break;
    if (shareOfFree * siteOf(state, name).active >= free) continue; // keeps its turn until more is free
    state.active++;
    startNext(state, name, commands);
  }
}

function startNext<G extends Group>(
  state: ScheduleState<G>,
  name: string,
  commands: ScheduleCommand<G>[],
): void {
  turnsOf(state, name).delete(name);
  const group = takeWaiting(siteOf(state, name));
  if (group) commands.push({ type: 'start', group });
  offerTurn(state, name);
}

function takeWaiting<G extends Group>(site: Site<G>): G | undefined {
  const group = site.waiting.shift();
  if (!group) return undefined;
  site.active++;
  site.waitingJobs -= group.jobCount;
  if (site.waiting.length === 0) site.awayMs = firstAwayMs;
  return group;
}

function claimMore<G extends Group>(
  state: ScheduleState<G>,
  event: ScheduleEvent<G>,
  now: number,
  commands: ScheduleCommand<G>[],
): void {
  if (state.claiming || state.dueAt === Number.POSITIVE_INFINITY) return;
  // Many slow sites leave little room: then little is claimed, but never nothing.
  const limit = Math.min(batchOf(state.limits), Math.ceil((state.limits.maxHeld - state.held) / 2));
  if (state.dueAt <= now && limit > 0) {
    state.claiming = true;
    state.dueAt = Number.POSITIVE_INFINITY;
    commands.push({ type: 'claim', limit });
  } else if (state.dueAt > now && event.type !== 'reserved' && event.type !== 'finished')
    commands.push({ type: 'wake', at: state.dueAt });
}
