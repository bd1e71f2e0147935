import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { sweepSpool } from './spool-sweep.ts';

async function world() {
  const directory = await temporaryDirectory();
  const dataDir = directory.path;
  const fill = (names: Record<string, string>) =>
    Promise.all(Object.entries(names).map(([name, text]) => writeFile(join(dataDir, 'spool', name), text)));
  await mkdir(join(dataDir, 'spool'));
  await fill({ mine: 'a message', orphan: 'octets', empty: '' });
  const names = async (part: string) => (await readdir(join(dataDir, part))).sort();
  return { dataDir, fill, names, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

const named = new Set(['mine']);

test('sweepSpool() removes what no message names', async () => {
  await using w = await world();
  expect(await sweepSpool({ dataDir: w.dataDir, named, isDoubtful: false })).toEqual({
    removed: 2,
    setAside: 0,
  });
  expect(await w.names('spool')).toEqual(['mine']);
});

test('sweepSpool() sets aside what may be the last copy of a message, and overwrites nothing there', async () => {
  await using w = await world();
  expect(await sweepSpool({ dataDir: w.dataDir, named, isDoubtful: true })).toEqual({
    removed: 1,
    setAside: 1,
  });
  await w.fill({ orphan: 'others' });
  await sweepSpool({ dataDir: w.dataDir, named, isDoubtful: true });
  expect(await w.names('spool')).toEqual(['mine']);
  expect(await w.names('orphans')).toEqual(['orphan', 'orphan.1']);
  expect(await readFile(join(w.dataDir, 'orphans', 'orphan'), 'utf8')).toBe('octets');
});
