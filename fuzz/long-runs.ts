/**
 * No quadratic input: 1 MiB of any one octet, and of short patterns over and over, must be read within 100 ms, wherever
 * a parser meets it. A quarter of that is read first: what takes less than a sixteenth of the limit there cannot take
 * more than the limit for the whole, even if its time grows with the square.
 */

import type { Finding } from './finding.ts';
import { escaped } from './finding.ts';
import { bestMs, processorMs } from './stopwatch.ts';
import type { Place, Target } from './targets/target.ts';
import { distinctSingles, patterns, singles, trickles } from './tokens.ts';

const runBytes = 2 ** 20;
const runLimitMs = 100;
const probePart = 1 / 4;
const probeLimitMs = runLimitMs / 16;

/** Octet by octet the calls alone take their time: fewer octets, and the limit that the square of them would break. */
const trickleBytes = 2 ** 16;
const trickleLimitMs = 150;

const whole: Place = (run) => run;

export interface RunsReport {
  /** Pairs of a run and its place that were read, of all there are. */
  done: number;
  all: number;
  findings: Finding[];
}

/** Reads all runs at all places of the target, or as many as `timeLeft` allows, beginning at number `first`. */
export async function checkLongRuns(
  target: Target,
  { first, timeLeft, note }: { first: number; timeLeft: () => boolean; note: (input: Buffer) => void },
): Promise<RunsReport> {
  const trials = trialsOf(target);
  const findings: Finding[] = [];
  let done = 0;
  for (; done < trials.length && timeLeft(); done++) {
    const trial = trials[(first + done) % trials.length];
    const finding = trial && (await tryRun(target, trial, note));
    if (finding) findings.push(finding);
  }
  return { done, all: trials.length, findings };
}

interface Trial {
  pattern: Buffer;
  place: Place;
  /** Read octet by octet. */
  trickled: boolean;
}

function trialsOf({ places = [], trickle }: Target): Trial[] {
  const at = (place: Place, runs: readonly Buffer[], trickled = false): Trial[] =>
    runs.map((pattern) => ({ pattern, place, trickled }));
  return [
    ...at(whole, [...singles, ...patterns]),
    ...places.flatMap((place) => at(place, [...distinctSingles, ...patterns])),
    ...(trickle === undefined ? [] : [whole, ...places].flatMap((place) => at(place, trickles, true))),
  ];
}

const fill = (pattern: Buffer, length: number): Buffer => Buffer.alloc(length, pattern);

async function tryRun(
  target: Target,
  trial: Trial,
  note: (input: Buffer) => void,
): Promise<Finding | undefined> {
  try {
    return trial.trickled ? await tryTrickle(target, trial, note) : await tryRead(target, trial, note);
  } catch (error) {
    return finding(target, trial, 'throw', error instanceof Error ? error.message : String(error));
  }
}

async function tryRead(
  target: Target,
  trial: Trial,
  note: (input: Buffer) => void,
): Promise<Finding | undefined> {
  const wholeBytes = Math.min(runBytes, target.longestRunBytes ?? runBytes);
  const probe = trial.place(fill(trial.pattern, wholeBytes * probePart));
  note(probe);
  if ((await processorMs(() => target.read(probe))) <= probeLimitMs) return undefined;
  const input = trial.place(fill(trial.pattern, wholeBytes));
  note(input);
  const ms = await bestMs(() => target.read(input), runLimitMs);
  return ms <= runLimitMs
    ? undefined
    : finding(target, trial, 'slow', `${Math.round(ms)} ms for ${input.length} octets`);
}

async function tryTrickle(
  target: Target,
  trial: Trial,
  note: (input: Buffer) => void,
): Promise<Finding | undefined> {
  const input = trial.place(fill(trial.pattern, trickleBytes));
  note(input);
  const ms = await bestMs(() => target.trickle?.(input), trickleLimitMs);
  const text = `${Math.round(ms)} ms for ${input.length} octets one by one`;
  return ms <= trickleLimitMs ? undefined : finding(target, trial, 'slow', text);
}

/** A megabyte is no test case to be printed; how it is made is. */
function finding(target: Target, { pattern, place }: Trial, kind: Finding['kind'], what: string): Finding {
  const sample = escaped(place(Buffer.from('\x01RUN\x01')));
  return {
    target: target.name,
    kind,
    message: `'${escaped(pattern)}' over and over at '${sample}': ${what}`,
  };
}
