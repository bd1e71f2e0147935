/** The pages that can be reached from the roots of the trees: those that are in use, as far as the way to them is whole. */

import { childrenOf } from './cells.ts';

export function reachablePages(
  roots: Iterable<number>,
  read: (page: number) => Buffer | undefined,
): ReadonlySet<number> {
  const reached = new Set<number>();
  const open = [...roots];
  for (let page = open.pop(); page !== undefined; page = open.pop()) {
    if (reached.has(page)) continue;
    reached.add(page);
    const octets = read(page);
    if (octets !== undefined) open.push(...childrenOf(octets, page));
  }
  return reached;
}
