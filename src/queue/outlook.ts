/** How one site stands with the schedule, as plain data: for who asks when a message is likely to go. Changes nothing. */

import type { Pace, SiteLimits } from './pace.ts';
import type { ScheduleState } from './schedule-state.ts';
import type { Group, SiteTrouble } from './sites.ts';

/** Survives JSON, but for what is infinite: such fields are absent. */
export interface SiteOutlook {
  site: string;
  limits: SiteLimits;
  /** Attempts at once, for now. */
  allowed: number;
  /** With a limit by the hour: when the next attempt would be due if they came evenly. */
  evenAt?: number;
  active: number;
  /** Groups that stand in line here. */
  waiting: number;
  /** Where the one in question stands in line, if it does: how many go before it. */
  ahead?: number;
  /** How long an attempt takes, ms; absent where none has ended. */
  meanMs?: number;
  /** Its last attempt reached it. */
  proven: boolean;
  trouble?: { cause: SiteTrouble; until: number };
}

/** `isIt` tells the group in question. */
export function outlookOf<G extends Group>(
  { sites, limits }: ScheduleState<G>,
  name: string,
  isIt: (group: G) => boolean,
): SiteOutlook {
  const site = sites.byName.get(name);
  if (site === undefined) {
    const own = limits.perSite(name);
    const allowed = Math.min(own.start, own.connections);
    return { site: name, limits: own, allowed, active: 0, waiting: 0, proven: false };
  }
  const { pace, active, waiting, meanMs, proven, trouble } = site;
  const ahead = aheadOf(
    [...waiting.lanes.values()].map(({ items, head }) => items.slice(head)),
    isIt,
  );
  return {
    site: name,
    limits: site.limits,
    allowed: pace.allowed,
    ...evenly(pace),
    active,
    waiting: waiting.groups,
    ...(ahead !== undefined && { ahead }),
    ...(meanMs > 0 && { meanMs }),
    proven,
    ...(trouble && { trouble: { cause: trouble.cause, until: trouble.until } }),
  };
}

const evenly = ({ evenAt }: Pace) => (evenAt === Number.NEGATIVE_INFINITY ? {} : { evenAt });

/** Lanes take turns, from the first on. */
function aheadOf<G>(lanes: readonly (readonly G[])[], isIt: (group: G) => boolean): number | undefined {
  for (const [own, lane] of lanes.entries()) {
    const depth = lane.findIndex(isIt);
    if (depth < 0) continue;
    const before = lanes.map(({ length }, index) => Math.min(length, index < own ? depth + 1 : depth));
    return before.reduce((sum, count) => sum + count, 0);
  }
  return undefined;
}
