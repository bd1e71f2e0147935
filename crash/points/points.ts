/**
 * Crash points: scenes are recorded, and every moment of them is taken for the last before a power cut. The work is shared
 * out in stretches, in an order that follows from the seed, so that whatever the time, all of the scenes is looked at.
 */

import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../fuzz/random.ts';
import { Crew } from './crew.ts';
import type { Explored, Violation } from './explore.ts';
import { readRecording } from './recording.ts';
import { record, type Scene } from './script/record.ts';
import type { Stretch } from './worker.ts';

export interface PointsOptions {
  scenes: readonly Scene[];
  /** `bin/posthorn` of the tree that is recorded. */
  recorded: string;
  /** `bin/posthorn` of the tree that is restarted. */
  program: string;
  /** Where recordings are kept: an existing folder. One that is there already is used again. */
  directory: string;
  seed: number;
  /** In performance.now(): no stretch is begun after this, if there are a few points at least. */
  deadline: number;
  /** Nothing at all is begun after this. Default: the same. */
  lastDeadline?: number;
  /** Nor after so many distinct points. */
  enough: number;
  /** Nor after a violation that this says is enough. */
  isEnough?(violation: Violation): boolean;
}

export interface PointsResult {
  /** Distinct disks that a server was restarted on. */
  points: number;
  /** Moments that were looked at, of so many. */
  moments: number;
  allMoments: number;
  violations: Violation[];
}

/** Records in one stretch: disks that follow one another are often the same, and are looked at once. */
const stretchRecords = 10;

/** With less, a run says too little: on a busy machine it takes time from what comes after it. */
const fewPoints = 600;

export async function explorePoints(options: PointsOptions): Promise<PointsResult> {
  // What Node compiles, it finds again here: dozens of processes run the same program.
  const environment = { NODE_COMPILE_CACHE: join(options.directory, 'compiled') };
  const stretches: Stretch[] = [];
  for (const scene of options.scenes) stretches.push(...(await stretchesOf(scene, options, environment)));
  shuffle(stretches, options.seed);
  const work = new Work(stretches, options);
  await using crew = new Crew(availableParallelism(), environment);
  await crew.explore(work);
  return work.result();
}

async function stretchesOf(
  scene: Scene,
  { directory, recorded, program, seed, deadline, lastDeadline = deadline }: PointsOptions,
  environment: Record<string, string>,
): Promise<Stretch[]> {
  const folder = join(directory, scene.name);
  const made = await mkdir(folder, { recursive: true });
  if (made !== undefined) await record({ scene, program: recorded, directory: folder, environment });
  const { records, firstWatched } = await readRecording(folder);
  const until = Date.now() + lastDeadline - performance.now();
  const stretches: Stretch[] = [];
  for (let first = firstWatched; first <= records.length; first += stretchRecords) {
    const end = Math.min(first + stretchRecords, records.length + 1);
    stretches.push({ recording: folder, first, end, until, seed, program });
  }
  return stretches;
}

function shuffle(items: unknown[], seed: number): void {
  const random = new Random(seed, 'stretches');
  for (let last = items.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [items[last], items[other]] = [items[other], items[last]];
  }
}

/** What is still to be done, and what came of what is done. */
class Work {
  readonly #stretches: Stretch[];
  readonly #options: PointsOptions;
  readonly #hashes = new Set<string>();
  readonly #violations: Violation[] = [];
  readonly #allMoments: number;
  #moments = 0;
  #isEnough = false;

  constructor(stretches: Stretch[], options: PointsOptions) {
    this.#stretches = stretches;
    this.#options = options;
    this.#allMoments = stretches.reduce((sum, { first, end }) => sum + end - first, 0);
  }

  next(): Stretch | undefined {
    const { enough } = this.#options;
    if (this.#isEnough || this.#isLate() || this.#hashes.size >= enough) return undefined;
    return this.#stretches.pop();
  }

  #isLate(): boolean {
    const { deadline, lastDeadline = deadline } = this.#options;
    return performance.now() > (this.#hashes.size < fewPoints ? lastDeadline : deadline);
  }

  note({ hashes, moments, violations }: Explored): void {
    this.#moments += moments;
    for (const hash of hashes) this.#hashes.add(hash);
    this.#violations.push(...violations);
    this.#isEnough ||= violations.some((violation) => this.#options.isEnough?.(violation) ?? false);
  }

  result(): PointsResult {
    return {
      points: this.#hashes.size,
      moments: this.#moments,
      allMoments: this.#allMoments,
      violations: this.#violations,
    };
  }
}
