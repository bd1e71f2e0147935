/**
 * Everything around the server that can fail, made to fail: each scenario is a fault with claims of what is to come of
 * it. They are independent of each other and mostly wait, so that several are played at a time.
 */

import { ensurePrograms } from '../../e2e/packages.ts';
import { type Failure, playWhole, type Scenario, type Score, sumOf } from '../../e2e/runner.ts';
import { diskFull } from '../../e2e/scenarios/disk-full.ts';
import { clockJumps } from './clock-jumps.ts';
import { lineCuts } from './cuts.ts';
import { noDescriptors } from './descriptors.ts';
import { dnsFaults } from './dns.ts';
import { fileErrors } from './file-errors.ts';
import { handingIn } from './handing-in.ts';
import { storeErrors } from './store-errors.ts';
import { termination } from './termination.ts';
import { trickle } from './trickle.ts';

export interface FaultOptions {
  /** performance.now() by which all should be over: what takes longer is not begun. */
  deadline: number;
  /** Where nothing at all could be begun, the shortest scenario is, if it is over by then. */
  lastDeadline: number;
}

export interface FaultResult {
  /** Claims that held. */
  passed: number;
  failed: Failure[];
}

/** The scenarios with the seconds they take; the longest begin first. */
const scenarios: readonly (readonly [Scenario, number])[] = [
  [termination, 30],
  [storeErrors, 12],
  [lineCuts, 12],
  [dnsFaults, 10],
  [trickle, 10],
  [fileErrors, 5],
  [handingIn, 4],
  [diskFull, 5],
  [clockJumps, 5],
  [noDescriptors, 3],
];

/** Played at a time. */
const atOnce = 3;

/** Plays what there is time for; tells it on standard error, scenario by scenario. */
export async function faults({ deadline, lastDeadline }: FaultOptions): Promise<FaultResult> {
  await ensurePrograms(['gcc', 'openssl', 'unshare']);
  const waiting = scenarios.values();
  const scores: Score[] = [];
  const playWaiting = async () => {
    for (const [scenario, seconds] of waiting) {
      if (isTimeFor(seconds, deadline)) scores.push(await playWhole(scenario, console.error));
      else console.error(`\n${scenario.name}\n  not played: there is no time for it`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, playWaiting));
  const [shortest, seconds] = scenarios.at(-1) ?? [];
  if (scores.length === 0 && shortest !== undefined && isTimeFor(seconds, lastDeadline))
    scores.push(await playWhole(shortest, console.error));
  const { passed, failures } = sumOf(scores);
  return { passed, failed: failures };
}

const isTimeFor = (seconds = 0, deadline: number): boolean => performance.now() + seconds * 1000 <= deadline;
