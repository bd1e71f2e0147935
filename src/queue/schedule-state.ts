/** The state of the schedule, what happens to it and what it commands: the vocabulary of `step` (schedule.ts). */

import type { SiteLimits } from './pace.ts';
import { type FullLine, type Group, noSites, type Sites, type SiteTrouble } from './sites.ts';

export interface ScheduleLimits {
  /** Groups at once, but for those of sites that are apart. */
  concurrency: number;
  /** Asked once for each site that becomes known. */
  perSite(site: string): SiteLimits;
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
  /** Sites that would have a turn, but had their share of this hour: when each may go on, and no later than the first of these. */
  paced: { until: Map<string, number>; nextAt: number };
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
  /** What has not begun is to go back to the store: somebody will change it there. */
  | { type: 'recalled' }
  /** A claim came back with so many jobs (they are held now); `nextDueAt` is the earliest left in the store. */
  | { type: 'claimed'; jobCount: number; nextDueAt: number | undefined }
  /** Other limits are in force, those of the sites too. What is under way keeps its place. */
  | { type: 'limited'; concurrency: number }
  | { type: 'tick' };

export type ScheduleCommand<G extends Group> =
  | { type: 'start'; group: G }
  | { type: 'claim'; limit: number }
  /** Give the group's jobs back to the store, which is to hold their destinations until then; they are held here no more. */
  | { type: 'putBack'; group: G; until: number }
  /** Record that the group was not tried, and why: its site was not reached before. It is held here no more. */
  | { type: 'defer'; group: G; cause: SiteTrouble | FullLine }
  /** Send a `tick` at that moment, instead of any asked for before. */
  | { type: 'wake'; at: number };

export const nobodyPaced = (): ScheduleState<Group>['paced'] => ({
  until: new Map(),
  nextAt: Number.POSITIVE_INFINITY,
});

export function initialSchedule<G extends Group>(limits: ScheduleLimits): ScheduleState<G> {
  return {
    limits,
    sites: noSites((site) => limits.perSite(site)),
    turns: { ordinary: new Set(), probes: new Set(), apart: new Set() },
    paced: nobodyPaced(),
    active: 0,
    held: 0,
    claiming: false,
    claimedAt: Number.NEGATIVE_INFINITY,
    hasPutBack: false,
    dueAt: 0, // due at once: a new start looks into the store
    wakeAt: undefined,
  };
}

/** A site may have one part in so many of what is free. */
export const shareOfFree = 4;
