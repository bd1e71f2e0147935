/** When what waits of some messages is likely to go: asked of the server, played on here, told in words. */

import type { Admin } from '../admin/admin.ts';
import type { JobOutlook, OutlookResult } from '../admin/shapes/queue.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { likelyText } from '../dossier/likely.ts';
import { printable } from '../dossier/printable.ts';
import { summarise } from '../dossier/summary.ts';
import { hasNoRoute } from '../queue/site-name.ts';
import { forecast } from '../simulation/forecast.ts';

/** A line for each recipient that waits; none where all is done. */
export async function forecastsFor(admin: Admin, events: readonly DossierEvent[]): Promise<string[]> {
  const lines: string[] = [];
  for (const [queueId, own] of Map.groupBy(events, (event) => event.queueId)) {
    const waits = summarise(own).some(({ state }) => state === 'underway' || state === 'deferred');
    if (!waits) continue;
    const outlook = await admin.outlook({ queueId });
    lines.push(...outlook.jobs.map((job) => `${queueId}  ${printable(lineFor(outlook, job))}.`));
  }
  return lines.length > 0 ? ['', ...lines] : [];
}

function lineFor({ now, concurrency }: OutlookResult, job: JobOutlook): string {
  const {
    recipient,
    destination,
    nextAttemptAt,
    expiresAt,
    claimed,
    heldBy,
    suspended,
    ahead,
    behind,
    site,
  } = job;
  const isUnderWay = claimed && site !== undefined && site.ahead === undefined;
  const isAsked =
    site !== undefined &&
    concurrency !== undefined &&
    !isUnderWay &&
    heldBy === undefined &&
    suspended === undefined;
  const at = isAsked
    ? forecast({ now, outlook: site, destination, nextAttemptAt, ahead, behind, concurrency })
    : undefined;
  return likelyText({
    recipient,
    now,
    nextAttemptAt,
    expiresAt,
    isUnderWay,
    isServerRunning: concurrency !== undefined,
    ahead: site === undefined ? ahead : (site.ahead ?? ahead + site.waiting),
    ...(at !== undefined && { at }),
    ...(heldBy !== undefined && { heldBy }),
    ...(suspended && { suspended }),
    ...(site && { site: siteFacts(site) }),
  });
}

function siteFacts({ site, limits: { messagesPerHour }, trouble }: NonNullable<JobOutlook['site']>) {
  const { cause, until } = trouble ?? {};
  return {
    name: site,
    ...(hasNoRoute(site) && { isUnknown: true as const }),
    ...(messagesPerHour !== undefined && { messagesPerHour }),
    ...(cause !== undefined &&
      until !== undefined && { trouble: { kind: cause.kind, until, reason: cause.reason } }),
  };
}
