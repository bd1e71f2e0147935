/**
 * `npm run crash`: what becomes of mail that was acknowledged when the power goes, the process is killed, or something around
 * it fails; and whether this test would see a fault. Wants root and Debian, as `npm run e2e` does. The exit code is 1 when
 * anything was lost, came twice without a word, or was planted and not found; and where a part has looked at nothing.
 */

import { runTool } from '../tools/command-line.ts';
import { faults } from './faults/faults.ts';
import { killRounds } from './kill/kill-rounds.ts';
import { type Options, type Part, readOptions, tool } from './options.ts';
import { findPlants } from './plants/find-plants.ts';
import { runPoints } from './points/run.ts';

/** What a part has to say: figures for programs, and all that is wrong, in sentences. */
interface Outcome {
  figures: Partial<Figures>;
  wrong: string[];
}

interface Figures {
  /** Distinct crash points. */
  points: number;
  killRounds: number;
  /** Messages whose end of data was answered with 250, in the kill rounds. */
  acknowledged: number;
  /** Of those, and of the ones of the crash points, what was nowhere to be found. */
  missing: number;
  /** What came twice, as a kill in the middle of an attempt allows. */
  duplicated: number;
  /** Scenarios of faults that went as they should. */
  faults: number;
}

interface Context {
  options: Options;
  /** When the part should be over, in performance.now(). */
  deadline: number;
  /** Until when a part that is late may go on, so as not to come to nothing. */
  lastDeadline: number;
  log(line: string): void;
}

const runs: Readonly<Record<Part, (context: Context) => Promise<Outcome>>> = {
  async points({ options, deadline, lastDeadline, log }) {
    const { points, missing, wrong } = await runPoints({ ...options, deadline, lastDeadline, log });
    return { figures: { points, missing }, wrong };
  },

  async kill({ options: { killRounds: most, seed }, deadline, lastDeadline, log }) {
    const { violations, ...result } = await killRounds({ rounds: most, deadline, lastDeadline, seed });
    const { rounds, acknowledged, missing, duplicated } = result;
    log(`${rounds} kills: ${acknowledged} acknowledged, ${missing} missing, ${duplicated} twice`);
    return { figures: { killRounds: rounds, acknowledged, missing, duplicated }, wrong: violations };
  },

  async faults({ deadline, lastDeadline, log }) {
    const { passed, failed } = await faults({ deadline, lastDeadline });
    log(`${passed} claims of the fault scenarios passed, ${failed.length} failed`);
    const wrong = failed.map(({ name, reason }) => `${name}: ${reason}`);
    if (passed + failed.length === 0)
      wrong.push('no fault scenario was played: give it more time (--seconds)');
    return { figures: { faults: passed }, wrong };
  },

  async plants({ options: { seed }, deadline, log }) {
    const { found, missed } = await findPlants({ seed, deadline, log });
    log(`${found.length} planted faults found, ${missed.length} not`);
    return { figures: {}, wrong: missed.map(({ name, reason }) => `planted fault ${name}: ${reason}`) };
  },
};

/** How the time is shared out, as far as a part is chosen. */
const shares: Readonly<Record<Part, number>> = { points: 5, kill: 3, faults: 2, plants: 8 };

/** After so much of all the time, the crash points leave the rest to the others; and everybody stops, done or not. */
const latestOf = { points: 0.8, all: 1.5 };

/** The exit code. */
async function main(options: Options): Promise<number> {
  const log = (line: string) => (options.json ? console.error(line) : console.log(line));
  log(`seed ${options.seed}`);
  const figures: Figures = {
    points: 0,
    killRounds: 0,
    acknowledged: 0,
    missing: 0,
    duplicated: 0,
    faults: 0,
  };
  const wrong: string[] = [];
  const startedAt = performance.now();
  const end = startedAt + timeFor(options);
  const chosen = [...options.chosen];
  for (const [turn, part] of chosen.entries()) {
    const deadline = deadlineOf(chosen.slice(turn), end);
    const latest = part === 'points' && turn < chosen.length - 1 ? latestOf.points : latestOf.all;
    const lastDeadline = startedAt + latest * timeFor(options);
    const outcome = await runs[part]({ options, deadline, lastDeadline, log });
    addTo(figures, outcome.figures);
    wrong.push(...outcome.wrong);
  }
  for (const sentence of wrong) log(`WRONG: ${sentence}`);
  if (options.json) console.log(JSON.stringify(figures));
  return wrong.length > 0 ? 1 : 0;
}

/** Milliseconds. */
const timeFor = ({ seconds }: Options): number =>
  seconds === undefined ? Number.POSITIVE_INFINITY : 1000 * seconds;

/** When the first of the parts that are left should be over, by its share of the time that is left. */
function deadlineOf([part, ...others]: readonly Part[], end: number): number {
  if (part === undefined) return end;
  const all = [part, ...others].reduce((sum, each) => sum + shares[each], 0);
  const now = performance.now();
  return now + ((end - now) * shares[part]) / all;
}

function addTo(figures: Figures, more: Partial<Figures>): void {
  figures.points += more.points ?? 0;
  figures.killRounds += more.killRounds ?? 0;
  figures.acknowledged += more.acknowledged ?? 0;
  figures.missing += more.missing ?? 0;
  figures.duplicated += more.duplicated ?? 0;
  figures.faults += more.faults ?? 0;
}

process.exitCode = await runTool(tool, process.argv.slice(2), {
  read: (given) => readOptions(given, Date.now() % 1_000_000),
  run: main,
});
