/**
 * Crash points: scenes are recorded, and every moment of them is taken for the last before a power cut. The work is shared
 * out in stretches, in an order that follows from the seed, each scene with its share of the time: however short that is,
 * all of the scenes is looked at.
 */

import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { Random } from '../../fuzz/random.ts';
import type { Stretch } from './crew.ts';
import { Crew } from './crew.ts';
import type { Explored, Violation } from './explore.ts';
import { checkLedger } from './judge/check-ledger.ts';
import { readRecording } from './recording.ts';
import { record, type Scene } from './script/record.ts';

export interface PointsOptions {
  scenes: readonly Scene[];
  /** `bin/posthorn` of the tree that is recorded. */
  recorded: string;
  /** `bin/posthorn` of the tree that is restarted. */
  program: string;
  /** Where recordings are kept: an existing folder. One that is there already is used again. */
  directory: string;
  /** Where Node keeps what it has compiled. Default: a folder in the directory. */
  compiled?: string;
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
  /** The same by the names of the scenes. */
  pointsOf: ReadonlyMap<string, number>;
  /** Moments that were looked at, of so many. */
  moments: number;
  allMoments: number;
  violations: Violation[];
}

/** Records in one stretch: disks that follow one another are often the same, and are looked at once. */
const usuallyTogether = 10;

/** What a stretch takes, more or less. */
const meanMs = 1_000;

/** With less, a run says too little: on a busy machine it takes time from what comes after it. */
const fewPoints = 600;

export async function explorePoints(options: PointsOptions): Promise<PointsResult> {
  // What Node compiles, it finds again here: dozens of processes run the same program.
  const environment = { NODE_COMPILE_CACHE: options.compiled ?? join(options.directory, 'compiled') };
  // They mostly wait while they are recorded, so they are all recorded at once.
  const lanes = await Promise.all(options.scenes.map((scene) => laneOf(scene, options, environment)));
  const work = new Work(lanes, options);
  await using crew = new Crew(availableParallelism(), environment);
  await crew.explore(work);
  return work.result();
}

/** A scene's stretches, in the order in which they are taken from the end. */
async function laneOf(
  scene: Scene,
  { directory, recorded, program, seed, deadline, lastDeadline = deadline }: PointsOptions,
  environment: Record<string, string>,
): Promise<Lane> {
  const { name, share = 1, together = usuallyTogether } = scene;
  const folder = join(directory, name);
  const made = await mkdir(folder, { recursive: true });
  if (made !== undefined) await record({ scene, program: recorded, directory: folder, environment });
  const recording = await readRecording(folder);
  checkLedger(recording);
  const { records, firstWatched } = recording;
  const until = Date.now() + lastDeadline - performance.now();
  const stretches: Stretch[] = [];
  for (let first = firstWatched; first <= records.length; first += together) {
    const end = Math.min(first + together, records.length + 1);
    stretches.push({ recording: folder, first, end, until, seed, program });
  }
  shuffle(stretches, new Random(seed, 'stretches', name));
  return { scene: name, share, stretches, spentMs: 0, underWay: 0, points: new Set() };
}

function shuffle(items: unknown[], random: Random): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [items[last], items[other]] = [items[other], items[last]];
  }
}

/** What is still to be looked at of a scene, and what that has cost so far. */
interface Lane {
  scene: string;
  share: number;
  stretches: Stretch[];
  spentMs: number;
  underWay: number;
  /** The hashes of its distinct disks. */
  points: Set<string>;
}

/** What is still to be done, and what came of what is done. */
class Work {
  readonly #lanes: readonly Lane[];
  readonly #options: PointsOptions;
  readonly #violations: Violation[] = [];
  readonly #allMoments: number;
  #moments = 0;
  #isEnough = false;

  constructor(lanes: readonly Lane[], options: PointsOptions) {
    this.#lanes = lanes;
    this.#options = options;
    const stretches = lanes.flatMap((lane) => lane.stretches);
    this.#allMoments = stretches.reduce((sum, { first, end }) => sum + end - first, 0);
  }

  /** Of the scene on which the least time was spent, for its share. */
  next(): Stretch | undefined {
    const { enough } = this.#options;
    if (this.#isEnough || this.#isLate() || this.#points() >= enough) return undefined;
    const left = this.#lanes.filter(({ stretches }) => stretches.length > 0);
    const [lane] = left.sort((one, other) => costOf(one) - costOf(other));
    if (lane === undefined) return undefined;
    lane.underWay += 1;
    return lane.stretches.pop();
  }

  #points(): number {
    return this.#lanes.reduce((sum, { points }) => sum + points.size, 0);
  }

  #isLate(): boolean {
    const { deadline, lastDeadline = deadline } = this.#options;
    const isTooLittle = this.#points() < fewPoints || this.#lanes.some(({ points }) => points.size === 0);
    return performance.now() > (isTooLittle ? lastDeadline : deadline);
  }

  note({ recording }: Stretch, { hashes, moments, tookMs, violations }: Explored): void {
    const lane = this.#lanes.find(({ scene }) => scene === basename(recording));
    if (lane === undefined) throw new Error(`${recording} is no recording of these scenes`);
    lane.underWay -= 1;
    lane.spentMs += tookMs;
    for (const hash of hashes) lane.points.add(hash);
    this.#moments += moments;
    this.#violations.push(...violations);
    this.#isEnough ||= violations.some((violation) => this.#options.isEnough?.(violation) ?? false);
  }

  result(): PointsResult {
    return {
      points: this.#points(),
      pointsOf: new Map(this.#lanes.map(({ scene, points }) => [scene, points.size])),
      moments: this.#moments,
      allMoments: this.#allMoments,
      violations: this.#violations,
    };
  }
}

/** What is under way will cost something too: else all workers would begin with the same scene. */
const costOf = ({ spentMs, underWay, share }: Lane): number => (spentMs + underWay * meanMs) / share;
