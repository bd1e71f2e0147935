/**
 * What is tried when, and how much at once: a deterministic step over a state. No clock, no I/O, no randomness: time
 * comes in with each event, so a recorded run replays to the same commands. The state given in is used up.
 *
 * Work comes as groups (one message's jobs for one receiving site). A site gets at most `perSite(site)` groups at once,
 * all sites together at most `concurrency`; sites that wait take turns. Jobs held in memory are bounded by `maxHeld`;
 * the rest stays in the store and is claimed when there is room.
 */

export interface Group {
  /** The receiving site; one site shares connections. */
  site: string;
  jobCount: number;
}

export interface ScheduleLimits {
  concurrency: number;
  perSite(site: string): number;
  /** Jobs in memory, waiting or being delivered. */
  maxHeld: number;
}

interface Site<G> {
  active: number;
  waiting: G[];
}

export interface ScheduleState<G extends Group> {
  limits: ScheduleLimits;
  sites: Map<string, Site<G>>;
  /** Sites with waiting groups and a free place, in the order of their turns. */
  turns: Set<string>;
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
  /** Send a `tick` at that moment, instead of any asked for before. */
  | { type: 'wake'; at: number };

/** Jobs are claimed in pieces of at most this many, and not before that much room is there. */
const claimBatch = 500;

const batchOf = ({ maxHeld }: ScheduleLimits): number => Math.min(claimBatch, Math.ceil(maxHeld / 2));

export function initialSchedule<G extends Group>(limits: ScheduleLimits): ScheduleState<G> {
  const empty = { sites: new Map(), turns: new Set<string>(), active: 0, held: 0, claiming: false };
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
  note(state, event);
  const commands: ScheduleCommand<G>[] = [];
  startGroups(state, commands);
  claimMore(state, event, now, commands);
  return { state, commands };
}

function note<G extends Group>(state: ScheduleState<G>, event: ScheduleEvent<G>): void {
  switch (event.type) {
    case 'reserved':
      state.held += event.jobCount;
      break;
    case 'cancelled':
      state.held -= event.jobCount;
      break;
    case 'ready':
      siteOf(state, event.group.site).waiting.push(event.group);
      offerTurn(state, event.group.site);
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
    site = { active: 0, waiting: [] };
    state.sites.set(name, site);
  }
  return site;
}

function offerTurn<G extends Group>(state: ScheduleState<G>, name: string): void {
  const site = siteOf(state, name);
  if (site.waiting.length > 0 && site.active < state.limits.perSite(name)) state.turns.add(name);
}

function finish<G extends Group>(state: ScheduleState<G>, group: G): void {
  state.active--;
  state.held -= group.jobCount;
  const site = siteOf(state, group.site);
  site.active--;
  if (site.active === 0 && site.waiting.length === 0) state.sites.delete(group.site);
  else offerTurn(state, group.site);
}

function startGroups<G extends Group>(state: ScheduleState<G>, commands: ScheduleCommand<G>[]): void {
  for (const name of state.turns) {
    if (state.active >= state.limits.concurrency) return;
    state.turns.delete(name);
    const site = siteOf(state, name);
    const group = site.waiting.shift();
    if (!group) continue;
    site.active++;
    state.active++;
    commands.push({ type: 'start', group });
    offerTurn(state, name); // at the end of the line: a Set keeps the order of insertion, and this loop sees it again
  }
}

function claimMore<G extends Group>(
  state: ScheduleState<G>,
  event: ScheduleEvent<G>,
  now: number,
  commands: ScheduleCommand<G>[],
): void {
  if (state.claiming || state.dueAt === Number.POSITIVE_INFINITY) return;
  const limit = batchOf(state.limits);
  if (state.dueAt <= now && state.held + limit <= state.limits.maxHeld) {
    state.claiming = true;
    state.dueAt = Number.POSITIVE_INFINITY;
    commands.push({ type: 'claim', limit });
  } else if (state.dueAt > now && (event.type === 'due' || event.type === 'claimed' || event.type === 'tick'))
    commands.push({ type: 'wake', at: state.dueAt });
}
