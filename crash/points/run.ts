/** The crash points of `npm run crash`: all scenes, what was found in words, and how to see it again. */

import { join } from 'node:path';
import { scratch } from '../scratch.ts';
import type { Violation } from './explore.ts';
import { explorePoints } from './points.ts';
import { scenes } from './script/record.ts';

export interface RunOptions {
  seed: number;
  /** In performance.now(); a few points there must be, if it takes until the last one. */
  deadline: number;
  lastDeadline: number;
  /** So many distinct points are enough. */
  points: number;
  /** A folder of recordings to go through once more, instead of new ones. */
  replay: string | undefined;
  log(line: string): void;
}

export interface RunResult {
  points: number;
  /** Violations that are the loss of something acknowledged. */
  missing: number;
  /** All that was wrong, each kind of it once. */
  wrong: string[];
}

const program = join(import.meta.dirname, '..', '..', 'bin', 'posthorn');

/** With less time than this, there is only the first scene. */
const enoughForAllMs = 14_000;

export async function runPoints({
  seed,
  deadline,
  lastDeadline,
  points: enough,
  replay,
  log,
}: RunOptions): Promise<RunResult> {
  using recordings = await scratch('posthorn-points-');
  const directory = replay ?? recordings.path;
  const hurried = deadline - performance.now() < enoughForAllMs;
  const chosen = hurried ? scenes.slice(0, 1) : scenes;
  if (hurried) log(`only scene ${chosen[0]?.name}: there is no time for the others`);
  const startedAt = performance.now();
  const result = await explorePoints({
    scenes: chosen,
    recorded: program,
    program,
    directory,
    seed,
    deadline,
    lastDeadline,
    enough,
  });
  const { points, pointsOf, moments, allMoments, violations } = result;
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const byScene = [...pointsOf].map(([scene, count]) => `${scene} ${count}`).join(', ');
  log(`${points} distinct crash points (${byScene}) at ${moments} of ${allMoments} moments in ${seconds} s`);
  if (violations.length > 0) {
    recordings.keep();
    log(`to see it again: npm run crash -- points --replay ${directory} --seed ${seed}`);
  }
  const missing = violations.filter(({ wrong }) => wrong === 'missing').length;
  return { points, missing, wrong: [...unseen(pointsOf), ...firstOfEach(violations)] };
}

/** Where nothing was looked at, nothing was found wrong; but that proves nothing. */
function unseen(pointsOf: ReadonlyMap<string, number>): string[] {
  const scenes = [...pointsOf].filter(([, points]) => points === 0).map(([scene]) => scene);
  return scenes.map(
    (scene) => `no crash point of scene ${scene} was looked at: give it more time (--seconds)`,
  );
}

/** A fault shows at many points: each sentence once, with the first of them. */
function firstOfEach(violations: readonly Violation[]): string[] {
  const groups = Map.groupBy(violations, ({ wrong, text }) => `${wrong}: ${text}`);
  return [...groups].map(([what, [first, ...others]]) => {
    const { scene = '', records = 0, whim = '' } = first?.point ?? {};
    const place = `scene ${scene}, after ${records} records (${first?.after ?? ''}), ${whim}`;
    return `${what}; ${place}${others.length > 0 ? `, and ${others.length} more points` : ''}`;
  });
}
