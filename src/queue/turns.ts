/**
 * Whose turn it is: sites take turns, and of the free places each gets no more than its share. Part of the schedule's
 * step (schedule.ts).
 */

import { allowedFrom } from './pace.ts';
import { type ScheduleCommand, type ScheduleState, shareOfFree } from './schedule-state.ts';
import { forgetIfUnknown, type Group, siteOf, takeWaiting } from './sites.ts';

/** Its turn comes after those who wait for one already; who waits for one keeps it. */
export function offerTurn<G extends Group>(state: ScheduleState<G>, name: string, now: number): void {
  const { sites, turns, limits } = state;
  const site = siteOf(sites, name);
  const right = limits.apart(name) ? turns.apart : site.probe ? turns.probes : turns.ordinary;
  const isReady = site.waiting.groups > 0 && !site.doubted && site.active < site.pace.allowed;
  const hasTurn = isReady && isWithinHour(state, name, now);
  for (const each of Object.values(turns)) if (each !== right || !hasTurn) each.delete(name);
  if (hasTurn) right.add(name);
}

/** Whether its limit by the hour lets a site go on; if not, it is noted when. */
function isWithinHour<G extends Group>(
  { sites, paced }: ScheduleState<G>,
  name: string,
  now: number,
): boolean {
  const { pace, limits } = siteOf(sites, name);
  const from = allowedFrom(pace, limits);
  if (from <= now) return true;
  paced.until.set(name, from);
  paced.nextAt = Math.min(paced.nextAt, from);
  return false;
}

/** Offers turns to the sites that waited for their hour's limit. Looks at all of them, but only when one is due. */
export function resumePaced<G extends Group>(state: ScheduleState<G>, now: number): void {
  const { paced } = state;
  if (paced.nextAt > now) return;
  const due = [...paced.until].filter(([, from]) => from <= now);
  for (const [name] of due) paced.until.delete(name);
  paced.nextAt = Math.min(Number.POSITIVE_INFINITY, ...paced.until.values());
  for (const [name] of due) {
    offerTurn(state, name, now);
    forgetIfUnknown(state.sites, name);
  }
}

export function startGroups<G extends Group>(
  state: ScheduleState<G>,
  now: number,
  commands: ScheduleCommand<G>[],
): void {
  const { limits, sites, turns } = state;
  // A Set keeps the order of insertion: a site that is offered a turn again comes last, and these loops see it again.
  for (const name of turns.apart) startNext(state, name, { now, commands });
  for (const name of turns.ordinary) {
    const free = limits.concurrency - state.active;
    if (free <= 0) break;
    if (shareOfFree * siteOf(sites, name).active >= free) continue; // keeps its turn until more is free
    state.active++;
    startNext(state, name, { now, commands });
  }
  for (const name of turns.probes) {
    if (state.active >= limits.concurrency || 2 * sites.activeProbes >= limits.concurrency) break;
    state.active++;
    startNext(state, name, { now, commands });
  }
}

function startNext<G extends Group>(
  state: ScheduleState<G>,
  name: string,
  { now, commands }: { now: number; commands: ScheduleCommand<G>[] },
): void {
  for (const each of Object.values(state.turns)) each.delete(name);
  const group = takeWaiting(state.sites, siteOf(state.sites, name), now);
  if (group) commands.push({ type: 'start', group });
  offerTurn(state, name, now);
}
