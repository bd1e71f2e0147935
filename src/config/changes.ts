/** What two readings of the configuration differ in: what cannot change while the server runs, and what has. */

import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';

/** What stays as it was at the start, and why. */
const fixed: { key: string; read(config: Config): unknown; why: string }[] = [
  {
    key: 'dataDir',
    read: ({ dataDir }) => dataDir,
    why: 'the store is open there',
  },
  ...(['directory', 'operators', 'viewers'] as const).map((key) => ({
    key: `control.${key}`,
    read: ({ control }: Config) => control[key],
    why: 'the sockets are made at the start',
  })),
  {
    key: 'delivery.scheduleTrace',
    read: ({ delivery }) => delivery.scheduleTrace,
    why: 'the trace begins with the server',
  },
];

/** What a reload cannot do, by name. */
export function findFixed(before: Config, after: Config): Problem[] {
  return fixed
    .filter(({ read }) => read(before) !== read(after))
    .map(({ key, read, why }) => ({
      file: after.file,
      key,
      what: `cannot change while the server runs: ${why}`,
      remedy: `It needs a restart; for a reload, let it stay ${JSON.stringify(read(before)) ?? 'as it was: absent'}.`,
    }));
}

/** What stands in the file as a list of tables, by its name here. */
const lists: Partial<Record<keyof Config, string>> = {
  listeners: 'listener',
  domains: 'domain',
  policies: 'policy',
  transports: 'transport',
  filters: 'filter',
  sites: 'site',
  sources: 'source',
};

/** The tables and keys at the top of the file that differ, as it has them: `[limits]`, `[[listener]]`, `hostname`. */
export function changedTables(before: Config, after: Config): string[] {
  // The keys of an object whose type is known.
  const keys = Object.keys({ ...before, ...after }) as (keyof Config)[];
  return keys.filter((key) => !isDeepStrictEqual(before[key], after[key])).map((key) => nameOf(key, after));
}

function nameOf(key: keyof Config, config: Config): string {
  const list = lists[key];
  if (list !== undefined) return `[[${list}]]`;
  const value = config[key];
  return typeof value === 'string' || Array.isArray(value) ? key : `[${key}]`;
}
