/** Of messages whose recipients are lost: whom they were addressed to, by what is left of their dossiers. */

import type { EventRow } from '../../event-store.ts';
import { eventsOf } from '../entries.ts';
import type { Images } from './images.ts';
import { scanImages } from './scan.ts';

/** What ends a recipient's part of a message. */
const endings = new Set(['delivered', 'failed', 'dropped']);

/** By queue id, those of whom no end is known; without those of whose dossier nothing is left. */
export function addresseesOf(
  images: Images,
  queueIds: { has(queueId: string): boolean },
): Map<string, string[]> {
  const scan = scanImages(images, (table, key) => table === 'events' && queueIds.has(key));
  const addressees = new Map<string, string[]>();
  for (const [queueId, places] of scan.places.events) {
    const events = places.flatMap((place) => eventsIn(queueId, scan.read(place)?.values[3]));
    addressees.set(queueId, openAddresses(events));
  }
  return addressees;
}

function eventsIn(queueId: string, data: unknown): EventRow[] {
  try {
    return eventsOf(queueId, String(data));
  } catch (error) {
    // A damaged row, of which nothing can be said.
    if (error instanceof SyntaxError || error instanceof TypeError) return [];
    throw error;
  }
}

function openAddresses(events: readonly EventRow[]): string[] {
  const ended = new Set(events.flatMap(({ event, recipient }) => (endings.has(event) && recipient) || []));
  for (const { event, recipient, data } of events) {
    const { from } = data;
    if (event === 'redirected' && typeof from === 'string' && recipient && ended.has(recipient))
      ended.add(from);
  }
  const addressed = events.flatMap(({ event, data: { to } }) =>
    event === 'accepted' && Array.isArray(to) ? to : [],
  );
  return [...new Set(addressed)].filter((address) => typeof address === 'string' && !ended.has(address));
}
