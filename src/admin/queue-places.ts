/**
 * Where in the store a selection is to be looked for. The store knows domains; a site is as many places as domains of it have
 * mail here, one after the other, and a cursor tells in which of them a walk goes on.
 */

import type { Directory } from '../queue/directory.ts';
import { type Matches, matchesOf } from '../queue/matches.ts';
import { hasNoRoute, isSite } from '../queue/site-name.ts';
import type { QueueFilter } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import { anyDomain, anySite } from './addresses.ts';
import { AdminError } from './admin-error.ts';
import type { QueueSelection } from './shapes/queue.ts';

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

const cursorShape = /^[^/|\s]+\/\d+$/;
const siteCursorShape = /^[^|]*\|(?:[^/|\s]+\/\d+)?$/;

const noCursor = (text: string) =>
  new AdminError(
    'bad-request',
    `${JSON.stringify(text)} is no place in the queue. Give what the page before said, with the same options.`,
  );

/**
 * A site is as many places as domains of it have mail here, since the store knows domains only. With `mustKnow`, rejects
 * with an AdminError('no-route') where there is no place, and might be one.
 */
export async function* places(
  { store, siteOf, directory }: PlacesParts,
  { site, ...rest }: QueueSelection,
  after: string | undefined,
  mustKnow = false,
): AsyncGenerator<Place> {
  const filter = filterOf(rest, directory);
  if (after !== undefined && !(site === undefined ? cursorShape : siteCursorShape).test(after))
    throw noCursor(after);
  if (site === undefined) {
    yield { filter, after, cursor: (next) => next ?? '' };
    return;
  }
  const wanted = anySite(site);
  const lost: string[] = [];
  const [begun, place] = splitCursor(after);
  let isFound = begun !== undefined;
  if (begun !== undefined) yield placeOf(filter, begun, place);
  for (let from = begun; ; ) {
    const destinations = await store.listDestinations(from, sitesAtOnce);
    const sites = await Promise.all(destinations.map((destination) => siteOf(destination, rest.sender)));
    for (const [index, destination] of destinations.entries()) {
      const isAsked = filter.destination === undefined || filter.destination === destination;
      if (!isAsked) continue;
      if (isSite(sites[index] ?? '', wanted)) {
        isFound = true;
        yield placeOf(filter, destination, undefined);
      } else if (hasNoRoute(sites[index] ?? '')) lost.push(destination);
    }
    if (destinations.length < sitesAtOnce) break;
    from = destinations.at(-1);
  }
  if (mustKnow && !isFound && lost.length > 0) throw notKnown(wanted, lost);
}

/** Names in an error; of more there are only the first. */
const mostNamed = 3;

function notKnown(site: string, domains: readonly string[]): AdminError {
  const some = domains.slice(0, mostNamed).join(', ');
  const names = domains.length > mostNamed ? `${some} and ${domains.length - mostNamed} more` : some;
  const what = `Nothing in the queue is known to go to ${site}, but there is mail for ${names}, to which no route is known now`;
  return new AdminError('no-route', `${what}. Try again when DNS answers, or name a domain: --domain`);
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

function filterOf(
  { domain, ...rest }: Omit<QueueSelection, 'site'>,
  directory: Pick<Directory, 'isLocal'>,
): QueueFilter {
  return domain === undefined ? rest : { ...rest, ...destinationFilter(domain, directory) };
}

/** Whether a job in memory is one of a selection. */
export const matchesIn = (
  { site, ...rest }: QueueSelection,
  directory: Pick<Directory, 'isLocal'>,
): Matches => matchesOf(filterOf(rest, directory), site);

function destinationFilter(
  text: string,
  directory: Pick<Directory, 'isLocal'>,
): Pick<QueueFilter, 'destination' | 'localDomain'> {
  // Mail for an address literal has that for a domain (RFC 5321 §4.1.3).
  const domain = text.startsWith('[') ? text.toLowerCase() : anyDomain(text);
  return directory.isLocal(domain) ? { destination: '', localDomain: domain } : { destination: domain };
}
