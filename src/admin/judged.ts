/** What was known of mail from outside, and what was made of it, as the dossiers have it: for `posthorn policy replay`. */

import type { DossierEvent } from '../dossier/event.ts';
import type { Store } from '../store/store.ts';
import type { JudgedPage, JudgedRequest } from './shapes/past.ts';

/** Entries looked at in one answer, however many are asked for. */
const maxEntries = 1000;

const told: ReadonlySet<string> = new Set(['accepted', 'refused', 'redirected', 'checked', 'judged']);

export async function listJudged(
  store: Pick<Store, 'readEvents'>,
  { limit, ...page }: JudgedRequest,
): Promise<JudgedPage> {
  const { events, next } = await store.readEvents({ ...page, limit: Math.min(limit, maxEntries) });
  const queueIds = new Set(events.filter(({ event }) => event === 'judged').map(({ queueId }) => queueId));
  const judged = events.filter(({ queueId, event }) => queueIds.has(queueId) && told.has(event));
  const last = events.at(-1);
  return {
    events: judged.map((row) => row as DossierEvent), // written as such; the store only does not know the vocabulary
    ...(last && { reachedBack: last.at }),
    ...(next !== undefined && { next }),
  };
}
