/** What must agree in `[[filter]]` tables: each by itself, and their names. Looks at values only. */

import type { Draft, FilterDraft, Finding } from './draft.ts';
import { filterName } from './filter.ts';

export function checkFilters({ filters }: Pick<Draft, 'filters'>): Finding[] {
  const seen = new Set<string>();
  return filters.flatMap((filter, index) => {
    const { kind } = filter;
    if (kind === undefined) return [];
    const name = filterName({ ...filter, kind });
    const findings = [...checkPlace(filter), ...(seen.has(name) ? [isTwice(name)] : [])];
    seen.add(name);
    return findings.map((finding) => ({ ...finding, path: ['filter', index, ...finding.path] }));
  });
}

function checkPlace({ kind, host, port, socket, unread = [] }: FilterDraft): Finding[] {
  if (['host', 'port', 'socket'].some((key) => unread.includes(key))) return [];
  if (socket !== undefined && (host !== undefined || port !== undefined))
    return [{ path: ['socket'], what: 'there is a host or a port already', remedy: 'Keep one of the two.' }];
  if (socket !== undefined || port !== undefined || kind !== 'milter') return [];
  const remedy =
    'Add a line socket = "/run/milter.sock", or port = 8891, and host where it is not on this machine.';
  return [{ path: ['kind'], what: 'nobody knows where this milter listens', remedy }];
}

const isTwice = (name: string): Finding => ({
  path: ['kind'],
  what: `two filters are called "${name}"`,
  remedy: 'Give one of them a name of its own: name = "…".',
});
