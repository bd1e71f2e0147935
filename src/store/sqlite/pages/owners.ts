/** Which table a page belongs to: by the pointer map from page to page up to a root, whose name page 1 knows. */

import { cellCount, readCell, wholeRecord } from './cells.ts';
import { type PageUse, placeInMap, readUse } from './format.ts';
import { readRecord } from './record.ts';

type ReadPage = (page: number) => Buffer | undefined;

/** Steps from page to page after which the way is taken for a circle: the longest chain is that of the largest row. */
const maxSteps = 100_000;

export interface Owners {
  /** `messages`, `jobs (index jobs_due)`, `free`, `pointer map`; undefined where that cannot be told. */
  ownerOf(page: number): string | undefined;
  /** The page's entry in the pointer map. */
  useOf(page: number): PageUse | undefined;
  /** The roots of all trees that page 1 knows. */
  roots: Iterable<number>;
}

export function createOwners(read: ReadPage): Owners {
  const roots = new Map<number, string>([[1, 'schema'], ...rootsIn(read)]);
  const cache = new Map<number, Buffer | undefined>();

  function useOf(page: number): PageUse | undefined {
    const place = placeInMap(page);
    if (place === undefined) return undefined;
    if (!cache.has(place.page)) cache.set(place.page, read(place.page));
    const map = cache.get(place.page);
    return map && readUse(map, place.offset);
  }

  function ownerOf(page: number): string | undefined {
    if (page > 1 && placeInMap(page) === undefined) return 'pointer map';
    let current = page;
    for (let step = 0; step < maxSteps; step++) {
      const name = roots.get(current);
      if (name !== undefined) return name;
      const use = useOf(current);
      if (use?.kind === 'free') return 'free';
      if (use === undefined || use.parent === 0) return undefined;
      current = use.parent;
    }
    return undefined;
  }

  return { ownerOf, useOf, roots: roots.keys() };
}

/** The rows of sqlite_master, as far as page 1 has them: type, name, table, root page, SQL. */
function rootsIn(read: ReadPage): [root: number, name: string][] {
  const first = read(1);
  if (first === undefined) return [];
  return Array.from({ length: cellCount(first, 1) }, (_, index) => readCell(first, 1, index)).flatMap(
    (cell): [number, string][] => {
      const [type, name, table, root] = (cell && readRecord(wholeRecord(cell, read))?.values) ?? [];
      if (typeof root !== 'number') return [];
      return [[root, type === 'index' ? `${table} (index ${name})` : String(name)]];
    },
  );
}
