/**
 * Where in the store a selection is to be looked for. The store knows domains; a site is as many places as domains of it have
 * mail here, one after the other, and a cursor tells in which of them a walk goes on.
 */

import type { Directory } from '../queue/directory.ts';
import { isSite } from '../queue/site-name.ts';
import type { QueueFilter, Store } from '../store/store.ts';
import { anyDomain, anySite } from './addresses.ts';
import type { QueueSelection } from './admin.ts';

export interface PlacesParts {
  store: Pick<Store, 'listDestinations'>;
  directory: Pick<Directory, 'isLocal'>;
  /** The name of the receiving site of a destination. */
  siteOf(destination: string, reversePath?: string): Promise<string>;
}

/** Destinations whose sites are asked for at once. */
export const sitesAtOnce = 50;

/** Where the store is to look, and from where on. */
export interface Place {
  filter: QueueFilter;
  after: string | undefined;
  /** The cursor for a walk that goes on here, or behind here. */
  cursor(next: string | undefined): string;
}

/** Between a place and the place in it, in a cursor. A domain has none. */
const mark = '|';

/** A site is as many places as domains of it have mail here, since the store knows domains only. */
export async function* places(
  { store, siteOf, directory }: PlacesParts,
  { site, ...rest }: QueueSelection,
  after: string | undefined,
): AsyncGenerator<Place> {
  const filter = filterOf(rest, directory);
  if (site === undefined) {
    yield { filter, after, cursor: (next) => next ?? '' };
    return;
  }
  const wanted = anySite(site);
  const [begun, place] = splitCursor(after);
  if (begun !== undefined) yield placeOf(filter, begun, place);
  for (let from = begun; ; ) {
    const destinations = await store.listDestinations(from, sitesAtOnce);
    const sites = await Promise.all(destinations.map((destination) => siteOf(destination, rest.sender)));
    for (const [index, destination] of destinations.entries()) {
      const isAsked = filter.destination === undefined || filter.destination === destination;
      if (isAsked && isSite(sites[index] ?? '', wanted)) yield placeOf(filter, destination, undefined);
    }
    if (destinations.length < sitesAtOnce) return;
    from = destinations.at(-1);
  }
}

function splitCursor(
  after: string | undefined,
): [destination: string | undefined, place: string | undefined] {
  if (after === undefined) return [undefined, undefined];
  const [destination = '', place = ''] = after.split(mark);
  return [destination, place === '' ? undefined : place];
}

const placeOf = (filter: QueueFilter, destination: string, after: string | undefined): Place => ({
  filter: { ...filter, destination },
  after,
  cursor: (next) => `${destination}${mark}${next ?? ''}`,
});

export function filterOf(
  { domain, ...rest }: Omit<QueueSelection, 'site'>,
  directory: Pick<Directory, 'isLocal'>,
): QueueFilter {
  return domain === undefined ? rest : { ...rest, ...destinationFilter(domain, directory) };
}

function destinationFilter(
  text: string,
  directory: Pick<Directory, 'isLocal'>,
): Pick<QueueFilter, 'destination' | 'localDomain'> {
  // Mail for an address literal has that for a domain (RFC 5321 §4.1.3).
  const domain = text.startsWith('[') ? text.toLowerCase() : anyDomain(text);
  return directory.isLocal(domain) ? { destination: '', localDomain: domain } : { destination: domain };
}
