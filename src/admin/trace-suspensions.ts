/**
 * What suspensions did to a message, as events of its dossier. They are not written there: one word of an operator's may
 * keep a million messages waiting. Each is told what it was subject to when somebody asks.
 */

import type { DossierEvent } from '../dossier/event.ts';
import { summarise } from '../dossier/summary.ts';
import { isSite } from '../queue/site-name.ts';
import type { SuspensionHistory } from '../queue/suspensions.ts';

/** The events of several messages, with those of the suspensions among them, in order of time within each message. */
export function withSuspensions(
  events: readonly DossierEvent[],
  history: readonly SuspensionHistory[],
  { now, isLocal }: { now: number; isLocal: (domain: string) => boolean },
): DossierEvent[] {
  if (history.length === 0) return [...events];
  const messages = Map.groupBy(events, ({ queueId }) => queueId);
  return [...messages.values()].flatMap((own) => {
    const added = summarise(own).flatMap(({ recipient, decidedBy }) => {
      const domain = domainOf(recipient);
      const site = siteIn(own, domain, isLocal);
      const about = { queueId: own[0]?.queueId ?? '', recipient };
      const span = { from: own[0]?.at ?? now, to: endOf(decidedBy) ?? now, now };
      return history
        .filter((suspension) => concerns(suspension, domain, site))
        .flatMap((suspension) => eventsOf(suspension, span, about));
    });
    // Sorting is stable: what happened first stays first.
    return added.length === 0 ? own : [...own, ...added].sort((a, b) => a.at - b.at);
  });
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase();

const ends = new Set<DossierEvent['event']>(['delivered', 'failed', 'dropped', 'readdressed']);

const endOf = (event: DossierEvent | undefined): number | undefined =>
  event !== undefined && ends.has(event.event) ? event.at : undefined;

/** The hosts that a domain's mail went to, as far as the dossier knows them. */
function siteIn(
  events: readonly DossierEvent[],
  domain: string,
  isLocal: (domain: string) => boolean,
): string {
  if (isLocal(domain)) return 'local';
  const hosts = events.flatMap((event) =>
    event.event === 'routed' && event.data.domain === domain ? event.data.hosts : [],
  );
  return hosts.join(', ');
}

function concerns({ scope, name }: SuspensionHistory, domain: string, site: string): boolean {
  if (scope === 'domain') return domain === name;
  return scope === 'all' || isSite(site, name);
}

/** Its beginning, where the message waited before it; its end, where it waited still. */
function eventsOf(
  { scope, name, by, at, until, reason, endedAt, endedBy }: SuspensionHistory,
  { from, to, now }: { from: number; to: number; now: number },
  about: { queueId: string; recipient: string },
): DossierEvent[] {
  const told: DossierEvent[] = [];
  if (at >= from && at < to) {
    const more = { ...(until !== undefined && { until }), ...(reason !== undefined && { reason }) };
    told.push({ at, ...about, event: 'suspended', data: { by, scope, name, ...more } });
  }
  if (endedAt !== undefined && endedAt <= now && endedAt > from && endedAt <= to) {
    const more = endedBy === undefined ? {} : { by: endedBy };
    told.push({ at: endedAt, ...about, event: 'resumed', data: { scope, name, ...more } });
  }
  return told;
}
