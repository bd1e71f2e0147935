/**
 * What is known of the receiving sites: what waits for each and is under way, and whether it can be reached. A site that
 * could not be is down for a while; then one group, a probe, finds out how it is. A site of which nothing is known yet is
 * met with the same caution by mail that has failed before: after a restart nobody must wait for ten thousand dead ones.
 * Pure: part of the schedule's state.
 */

export interface Group {
  /** The receiving site; one site shares connections. */
  site: string;
  jobCount: number;
  /** For one of its jobs at least nothing was tried yet. */
  fresh: boolean;
  /** When the first of its jobs is given up, ms since the epoch. */
  expiresAt: number;
}

/** Why a site could not be reached, for those who are told that nothing was tried because of it. */
export interface SiteTrouble {
  /** When that was found out. */
  at: number;
  /** As of an attempt's outcome. */
  status: string;
  phase: string;
  reason: string;
}

export interface Site<G extends Group> {
  active: number;
  waiting: G[];
  /** Jobs in `waiting`. */
  waitingJobs: number;
  /** Its last attempt reached it. */
  proven: boolean;
  /** An attempt has just not reached it; the others that are under way will tell, and until then no more begin. */
  doubted: boolean;
  /** It is not tried before `until`; `failures` times in a row nobody was reached. */
  trouble: { cause: SiteTrouble; failures: number; until: number } | undefined;
  /** The only group here of a site that is in trouble or unknown; it may be under way. */
  probe: { jobCount: number; active: boolean } | undefined;
}

export interface Sites<G extends Group> {
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

/** Sites that are remembered; of others it is found out anew. */
export const maxKnown = 10_000;

export const noSites = <G extends Group>(): Sites<G> => ({
  byName: new Map(),
  known: new Set(),
  probeJobs: 0,
  activeProbes: 0,
});

export function siteOf<G extends Group>({ byName }: Sites<G>, name: string): Site<G> {
  let site = byName.get(name);
  if (!site) {
    site = newSite();
    byName.set(name, site);
  }
  return site;
}

const newSite = <G extends Group>(): Site<G> => ({
  active: 0,
  waiting: [],
  waitingJobs: 0,
  proven: false,
  doubted: false,
  trouble: undefined,
  probe: undefined,
});

const isIdle = <G extends Group>({ active, waiting }: Site<G>): boolean =>
  active === 0 && waiting.length === 0;

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
  site.waiting.push(group);
  site.waitingJobs += group.jobCount;
}

/** The next group, which counts as under way. */
export function takeWaiting<G extends Group>(sites: Sites<G>, site: Site<G>): G | undefined {
  const group = site.waiting.shift();
  if (!group) return undefined;
  site.active++;
  site.waitingJobs -= group.jobCount;
  if (site.probe) {
    site.probe.active = true;
    sites.activeProbes++;
  }
  return group;
}

/** A group is under way no more. */
export function endGroup<G extends Group>(sites: Sites<G>, site: Site<G>): void {
  site.active--;
  if (site.active === 0) site.doubted = false; // nobody is left who could tell
  endProbe(sites, site);
}

function endProbe<G extends Group>(sites: Sites<G>, site: Site<G>): void {
  if (!site.probe) return;
  sites.probeJobs -= site.probe.jobCount;
  if (site.probe.active) sites.activeProbes--;
  site.probe = undefined;
}

/** The site answered, whatever it said. */
export function reached<G extends Group>(sites: Sites<G>, name: string): void {
  const site = siteOf(sites, name);
  site.proven = true;
  site.doubted = false;
  site.trouble = undefined;
  remember(sites, name);
}

/**
 * The site could not be reached. Returns what waited for it, and waits no more: nothing as long as other attempts are
 * under way, since many a site refuses only connections beyond a number.
 */
export function failed<G extends Group>(
  sites: Sites<G>,
  { name, cause }: { name: string; cause: SiteTrouble },
  now: number,
): G[] {
  const site = siteOf(sites, name);
  site.doubted = site.active > 0;
  if (site.doubted) return [];
  const failures = (site.trouble?.failures ?? 0) + 1;
  const wait = downMs[Math.min(failures, downMs.length) - 1] ?? 0;
  site.proven = false;
  site.trouble = { cause, failures, until: now + wait };
  remember(sites, name);
  site.waitingJobs = 0;
  return site.waiting.splice(0);
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

/** Somebody who knows better wants everything to be tried: every site gets its probe now. */
export function tryAllAgain<G extends Group>({ byName }: Sites<G>): void {
  for (const { trouble } of byName.values()) if (trouble) trouble.until = 0;
}
