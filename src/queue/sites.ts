/**
 * What is known of the receiving sites: what waits for each and is under way, how many at once it takes, and whether it
 * can be reached. A site that could not be, or that asked us to slow down, is left alone for a while; then one group, a
 * probe, finds out how it is. A site of which nothing is known yet is met with the same caution by mail that has failed
 * before: after a restart nobody must wait for ten thousand dead ones.
 * Pure: part of the schedule's state.
 */

import { emptyLine, enter, type Line, takeAll, takeNext, type Waiter } from './line.ts';
import { cap, grow, newPace, type Pace, restart, type SiteLimits, shrink, spend } from './pace.ts';

export interface Group extends Waiter {
  /** The receiving site; one site shares connections. */
  site: string;
  /** For one of its jobs at least nothing was tried yet. */
  fresh: boolean;
  /** When the first of its jobs is given up, ms since the epoch. */
  expiresAt: number;
}

/** Why a site takes nothing for a while, for those who are told that nothing was tried because of it. */
export interface SiteTrouble {
  /** It could not be reached, or it asked us to slow down. */
  kind: 'down' | 'busy';
  /** When that was found out. */
  at: number;
  /** As of an attempt's outcome. */
  status: string;
  phase: string;
  reason: string;
  /** How long it asked to be left alone, if it named a time. */
  waitMs?: number;
  /** Until this moment, ms since the epoch, TLS alone is tried there; then clear text. */
  clearTextFrom?: number;
}

/** Why a group that is at its end is not tried: it finds no room. Nothing is wrong with the site. */
export interface FullLine extends Omit<SiteTrouble, 'kind' | 'waitMs'> {
  kind: 'full';
}

export interface Site<G extends Group> {
  limits: SiteLimits;
  pace: Pace;
  active: number;
  waiting: Line<G>;
  /** Its last attempt reached it. */
  proven: boolean;
  /** An attempt has just not reached it; the others that are under way will tell, and until then no more begin. */
  doubted: boolean;
  /** It is not tried before `until`; `failures` times in a row nobody was reached. */
  trouble: { cause: SiteTrouble; failures: number; until: number } | undefined;
  /** The only group here of a site that is in trouble or unknown; it may be under way. */
  probe: { jobCount: number; active: boolean } | undefined;
  /** How long an attempt takes, ms, as of late; 0 as long as none has ended. */
  meanMs: number;
  /** Time of attempts, one beside the other, since the last one ended: up to `workedAt`. */
  workedMs: number;
  workedAt: number;
}

export interface Sites<G extends Group> {
  limitsOf: (name: string) => SiteLimits;
  byName: Map<string, Site<G>>;
  /** Sites that are known, idle or not: those in trouble and those that were reached, what was learnt last at the end. */
  known: Set<string>;
  /** Jobs in probes, and probes under way. */
  probeJobs: number;
  activeProbes: number;
}

/** How long a site is left alone when nobody was reached, and after each further time. */
export const firstDownMs = 60_000;
const downMs: readonly number[] = [1, 2, 4, 8, 15].map((times) => times * firstDownMs);

/** A site's own word counts up to this. */
export const maxNamedDownMs = 3600_000;

/** Sites that are remembered; of others it is found out anew. */
export const maxKnown = 10_000;

/** Each attempt's time counts so much in the mean. */
const meanShare = 1 / 8;

export const noSites = <G extends Group>(limitsOf: (name: string) => SiteLimits): Sites<G> => ({
  limitsOf,
  byName: new Map(),
  known: new Set(),
  probeJobs: 0,
  activeProbes: 0,
});

export function siteOf<G extends Group>({ byName, limitsOf }: Sites<G>, name: string): Site<G> {
  let site = byName.get(name);
  if (!site) {
    site = newSite(limitsOf(name));
    byName.set(name, site);
  }
  return site;
}

const newSite = <G extends Group>(limits: SiteLimits): Site<G> => ({
  limits,
  pace: newPace(limits),
  active: 0,
  waiting: emptyLine(),
  proven: false,
  doubted: false,
  trouble: undefined,
  probe: undefined,
  meanMs: 0,
  workedMs: 0,
  workedAt: 0,
});

const isIdle = <G extends Group>({ active, waiting }: Site<G>): boolean =>
  active === 0 && waiting.groups === 0;

/** A site that nobody waits for, and of which nothing is known. */
export function forgetIfUnknown<G extends Group>({ byName, known }: Sites<G>, name: string): void {
  const site = byName.get(name);
  if (site && isIdle(site) && !known.has(name)) byName.delete(name);
}

/** How a group is received: as any other; as the one that finds out; or not yet. */
export type Reception = 'ordinary' | 'probe' | 'later';

export function receptionOf<G extends Group>(site: Site<G>, group: G, now: number): Reception {
  if (site.trouble) return site.trouble.until <= now && isIdle(site) ? 'probe' : 'later';
  if (site.proven || group.fresh) return 'ordinary';
  return isIdle(site) ? 'probe' : 'later';
}

export function addWaiting<G extends Group>(
  sites: Sites<G>,
  group: G,
  reception: 'ordinary' | 'probe',
): void {
  const site = siteOf(sites, group.site);
  if (reception === 'probe') {
    site.probe = { jobCount: group.jobCount, active: false };
    sites.probeJobs += group.jobCount;
  } else endProbe(sites, site); // where new mail is tried anyway, caution is of no use
  enter(site.waiting, group);
}

/** The next group, which counts as under way. */
export function takeWaiting<G extends Group>(sites: Sites<G>, site: Site<G>, now: number): G | undefined {
  const group = takeNext(site.waiting);
  if (!group) return undefined;
  work(site, now);
  site.active++;
  spend(site.pace, site.limits, now);
  if (site.probe) {
    site.probe.active = true;
    sites.activeProbes++;
  }
  return group;
}

/** A group is under way no more. */
export function endGroup<G extends Group>(sites: Sites<G>, site: Site<G>, now: number): void {
  work(site, now);
  site.meanMs = site.meanMs === 0 ? site.workedMs : site.meanMs + meanShare * (site.workedMs - site.meanMs);
  site.workedMs = 0;
  site.active--;
  if (site.active === 0) site.doubted = false; // nobody is left who could tell
  endProbe(sites, site);
}

/** With so many under way, so many attempts' time has passed: divided by those that ended, it is the time of one. */
function work<G extends Group>(site: Site<G>, now: number): void {
  site.workedMs += site.active * Math.max(0, now - site.workedAt);
  site.workedAt = now;
}

function endProbe<G extends Group>(sites: Sites<G>, site: Site<G>): void {
  if (!site.probe) return;
  sites.probeJobs -= site.probe.jobCount;
  if (site.probe.active) sites.activeProbes--;
  site.probe = undefined;
}

/** What waits anywhere, and waits here no more. */
export function takeAllWaiting<G extends Group>(sites: Sites<G>): G[] {
  return [...sites.byName.values()].flatMap((site) => {
    if (site.probe && !site.probe.active) endProbe(sites, site);
    return takeAll(site.waiting);
  });
}

/** The site took the attempt, whatever it said of the message. `wasFull`: all its places were in use. */
export function reached<G extends Group>(sites: Sites<G>, name: string, wasFull: boolean): void {
  const site = siteOf(sites, name);
  site.proven = true;
  site.doubted = false;
  site.trouble = undefined;
  grow(site.pace, site.limits, wasFull);
  remember(sites, name);
}

/**
 * The site could not be reached, or was too busy. Returns what waited for it, and waits no more: nothing as long as other
 * attempts are under way, since many a site refuses only connections beyond a number. It gets fewer then.
 */
export function failed<G extends Group>(
  sites: Sites<G>,
  { name, cause }: { name: string; cause: SiteTrouble },
  now: number,
): G[] {
  const site = siteOf(sites, name);
  shrink(site.pace, site.active);
  site.doubted = site.active > 0;
  if (site.doubted) return [];
  const failures = (site.trouble?.failures ?? 0) + 1;
  const wait = downMs[Math.min(failures, downMs.length) - 1] ?? 0;
  const named = Math.min(cause.waitMs ?? 0, maxNamedDownMs);
  site.proven = false;
  site.trouble = { cause, failures, until: now + Math.max(wait, named) };
  restart(site.pace, site.limits);
  remember(sites, name);
  return takeAll(site.waiting);
}

function remember<G extends Group>({ byName, known }: Sites<G>, name: string): void {
  known.delete(name);
  known.add(name);
  if (known.size <= maxKnown) return;
  for (const oldest of known) {
    const site = byName.get(oldest);
    if (site && !isIdle(site)) continue;
    known.delete(oldest);
    byName.delete(oldest);
    return;
  }
}

/** Asks anew what each site may get. One that grew to more than that gets less; one that may have more grows as ever. */
export function limitAnew<G extends Group>({ byName, limitsOf }: Sites<G>): void {
  for (const [name, site] of byName) {
    site.limits = limitsOf(name);
    cap(site.pace, site.limits);
  }
}

/** Somebody who knows better wants everything to be tried: every site gets its probe now. */
export function tryAllAgain<G extends Group>({ byName }: Sites<G>): void {
  for (const { trouble } of byName.values()) if (trouble) trouble.until = 0;
}
