/**
 * Goes through all pages of a store and notes where rows lie, by table and key. Where one row is found several times, in
 * versions of its page or on pages that are free by now, all places are noted: which counts is decided by whoever reads.
 */

import { cellCount, type Payload, readCell, wholeRecord } from '../pages/cells.ts';
import { lockedPage, placeInMap } from '../pages/format.ts';
import { createOwners } from '../pages/owners.ts';
import { reachablePages } from '../pages/reachable.ts';
import { readRecord, type SqlRecord } from '../pages/record.ts';
import type { Images, PageImage } from './images.ts';
import { type Home, recognise, type Table } from './rows.ts';

/**
 * How sure it is that the row is still there: `sure`; `likely` where its page is damaged; `unsure` where it cannot be
 * told whether its page is in use, or where it is on an earlier version of a damaged page; `gone` where its page is free.
 */
export type Standing = 'sure' | 'likely' | 'unsure' | 'gone';

export interface Place {
  page: number;
  /** Which of the page's images; -1 for the strays. */
  image: number;
  cell: number;
  standing: Standing;
  /** Its page is as it was written. */
  isWhole: boolean;
}

export interface Scan {
  /** Where the rows of a table lie, by their keys. */
  places: Record<Table, Map<string, Place[]>>;
  /** Pages of which the present version is damaged or missing, and what is known of whose they are. */
  damagedPages: Map<number, string | undefined>;
  /** There were more pages, of which nothing is known. */
  isCut: boolean;
  /** Reads a row that was found; as much of it as there is. */
  read(place: Place): SqlRecord | undefined;
}

/** By a page's first octet; leaves of tables, and leaves and branches of what is its own index. */
const homes: Record<number, Home> = { 13: 'table', 10: 'index', 2: 'index' };

/** `wants` says which rows are to be noted. */
export function scanImages(images: Images, wants: (table: Table, key: string) => boolean): Scan {
  const best = (page: number) => images.of(page)[0]?.octets;
  const standingOf = standings(images, best);
  const owners = createOwners(best);
  const places: Scan['places'] = {
    messages: new Map(),
    jobs: new Map(),
    accounts: new Map(),
    aliases: new Map(),
    events: new Map(),
  };
  const damagedPages: Scan['damagedPages'] = new Map();

  function note(image: PageImage, number: number, standing: Standing): void {
    for (const { table, key, cell } of rowsOn(image)) {
      if (!wants(table, key)) continue;
      const place: Place = { page: image.page, image: number, cell, standing, isWhole: image.isWhole };
      const known = places[table].get(key);
      if (known === undefined) places[table].set(key, [place]);
      else known.push(place);
    }
  }

  for (let page = 1; page <= images.pageCount; page++) {
    const found = images.of(page);
    if (found[0]?.isWhole !== true && page !== lockedPage) damagedPages.set(page, owners.ownerOf(page));
    for (const [number, image] of found.entries()) note(image, number, standingOf(image));
  }
  const strays = [...images.strays()];
  for (const [number, image] of strays.entries()) note(image, -1 - number, 'unsure');

  return {
    places,
    damagedPages,
    isCut: images.isCut,
    read({ page, image, cell }) {
      const from = image < 0 ? strays[-1 - image] : images.of(page)[image];
      const payload = from && readCell(from.octets, page, cell);
      return payload && readRecord(wholeRecord(payload, best));
    },
  };
}

function rowsOn({ page, octets }: PageImage): { table: Table; key: string; cell: number }[] {
  const home = homes[octets[0] ?? 0];
  if (home === undefined) return [];
  return Array.from({ length: cellCount(octets, page) }, (_, cell) => cell).flatMap((cell) => {
    // What the page itself has of the row is enough to tell what it is.
    const record = recordOf(readCell(octets, page, cell));
    const found = record && recognise(home, record);
    return found ? [{ ...found, cell }] : [];
  });
}

const recordOf = (payload: Payload | undefined): SqlRecord | undefined =>
  payload && readRecord(payload.octets);

/** By the pointer map; where that is damaged, also by whether there is a way to the page from a root. */
function standings(
  images: Images,
  best: (page: number) => Buffer | undefined,
): (image: PageImage) => Standing {
  const owners = createOwners(best);
  const isMapWhole = (page: number) => {
    const place = placeInMap(page);
    return place === undefined || images.of(place.page)[0]?.isWhole === true;
  };
  let reached: ReadonlySet<number> | undefined;
  return ({ page, isWhole, isPast }) => {
    const kind = owners.useOf(page)?.kind;
    if (!isMapWhole(page)) {
      reached ??= reachablePages(owners.roots, best);
      if (!reached.has(page)) return 'unsure';
    } else if (kind === 'free') return 'gone';
    return isPast ? 'unsure' : isWhole ? 'sure' : 'likely';
  };
}
