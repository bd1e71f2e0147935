/** Plants each fault into a copy of the source, one after the other, and looks whether crash points find it. */

import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Violation } from '../points/explore.ts';
import { explorePoints } from '../points/points.ts';
import { scratch } from '../scratch.ts';
import { type Plant, plants } from './plants.ts';

const root = join(import.meta.dirname, '..', '..');

/** More than enough for scenes of an act or two; a plant that is not found by then is not found. */
const mostPoints = 1500;
const mostMs = 120_000;
/** Moments between two looks whether it was found. */
const fewTogether = 3;

export interface PlantsResult {
  /** Names of those that were found. */
  found: string[];
  /** Those that were not, and what was found instead, or that there was no time. */
  missed: { name: string; reason: string }[];
}

export interface PlantsOptions {
  seed: number;
  /** In performance.now(); plants whose turn has not come by then are not looked for. */
  deadline: number;
  log(line: string): void;
}

export async function findPlants({ seed, deadline, log }: PlantsOptions): Promise<PlantsResult> {
  const result: PlantsResult = { found: [], missed: [] };
  using folder = await scratch('posthorn-plants-');
  const tree = join(folder.path, 'tree');
  await copyTree(tree);
  for (const plant of plants) {
    if (performance.now() > deadline) {
      result.missed.push({ name: plant.name, reason: 'not looked for: give it more time (--seconds)' });
      continue;
    }
    const { points, violations } = await explorePlanted(plant, { path: folder.path, tree, seed });
    const shown = violations.find((violation) => shows(plant, violation));
    if (shown === undefined) result.missed.push({ name: plant.name, reason: reasonOf(points, violations) });
    else result.found.push(plant.name);
    log(
      `${plant.name} (${plant.description}): ${shown === undefined ? 'NOT FOUND' : `found, ${shown.text}`}`,
    );
  }
  return result;
}

const shows = ({ shows }: Plant, { wrong }: Violation): boolean => shows.includes(wrong);

const reasonOf = (points: number, [first]: readonly Violation[]): string =>
  `not found at ${points} points; ${first === undefined ? 'nothing was' : `what was: ${first.text}`}`;

async function explorePlanted(
  plant: Plant,
  { path, tree, seed }: { path: string; tree: string; seed: number },
) {
  const directory = join(path, plant.name);
  await mkdir(directory);
  const undo = await plantInto(tree, plant.edits);
  const explored = await explorePoints({
    scenes: [{ name: plant.name, acts: plant.acts, together: fewTogether }],
    recorded: join(tree, 'bin', 'posthorn'),
    program: join(root, 'bin', 'posthorn'),
    directory,
    compiled: join(path, 'compiled'),
    seed,
    deadline: performance.now() + mostMs,
    enough: mostPoints,
    isEnough: (violation) => shows(plant, violation),
  });
  await undo();
  await rm(directory, { recursive: true });
  return explored;
}

async function copyTree(tree: string): Promise<void> {
  await mkdir(tree);
  for (const part of ['src', 'bin', 'package.json'])
    await cp(join(root, part), join(tree, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
}

/** Resolves to what makes the tree as it was. */
async function plantInto(tree: string, edits: Plant['edits']): Promise<() => Promise<void>> {
  const files = [...new Set(edits.map(({ file }) => file))];
  for (const edit of edits) await apply(edit, tree);
  return async () => {
    for (const file of files) await cp(join(root, file), join(tree, file));
  };
}

async function apply({ file, find, replace }: Plant['edits'][number], tree: string): Promise<void> {
  const path = join(tree, file);
  const text = await readFile(path, 'utf8');
  const times = text.split(find).length - 1;
  if (times !== 1)
    throw new Error(`Cannot plant into ${file}: "${find}" stands there ${times} times, not once`);
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
}
