/** What filters said of mail that is our own, for its dossier: it has no policy that would judge it. */

import type { DossierEvent } from '../../dossier/event.ts';
import { decideFilters } from '../../filter/decide.ts';
import type { Filtered } from './filters.ts';

export function filteredEvents(filtered: Filtered | undefined, at: number, queueId: string): DossierEvent[] {
  if (filtered === undefined) return [];
  const { decision, rule } = decideFilters(filtered.facts);
  return [{ at, queueId, event: 'filtered', data: { filters: filtered.facts, decision, rule } }];
}
