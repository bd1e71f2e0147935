/**
 * No quadratic input: 1 MiB of any one octet, and of short patterns over and over, must be read within 100 ms, wherever
 * a parser meets it; and what is right may be repeated as often as one likes, the time grows with the length only.
 * A quarter is read first: what takes less than a sixteenth of the limit there cannot take more than the limit for the
 * whole, even if its time grows with the square.
 */

import type { Finding } from './finding.ts';
import { escaped } from './finding.ts';
import { Random } from './random.ts';
import { bestMs, growthOf, limitFor, processorMs } from './stopwatch.ts';
import { type Stretch, stretched, stretchesOf } from './stretches.ts';
import type { Place, Target } from './targets/target.ts';
import { distinctSingles, patterns, singles, trickles } from './tokens.ts';

const runBytes = 2 ** 20;
const runLimitMs = 100;
const probePart = 1 / 4;
const probeLimitMs = runLimitMs / 16;

/** Octet by octet the calls alone take their time: fewer octets, and the limit that the square of them would break. */
const trickleBytes = 2 ** 16;
const trickleLimitMs = 150;

/** What is right is work: it may take the time that any input may, if only its growth is that of its length. */
const stretchBytes = 2 ** 18;
const stretchEasyMs = 25;
/** How many times longer than a quarter the whole may take: 4 follow the length, 16 its square. */
const maxGrowth = 8;

/** A target that fails this often needs no more of it. */
export const maxFindings = 5;

const whole: Place = (run) => run;

export interface RunsReport {
  /** Runs, each at its place, that were read, of all there are. */
  done: number;
  all: number;
  findings: Finding[];
}

/** Reads all runs of the target, or as many as `timeLeft` allows, in an order that follows from the seed. */
export async function checkLongRuns(
  target: Target,
  { seed, timeLeft, note }: { seed: number; timeLeft: () => boolean; note: (input: Buffer) => void },
): Promise<RunsReport> {
  const trials = new Random(seed, target.name, 'runs').shuffled(trialsOf(target, seed));
  const findings: Finding[] = [];
  let done = 0;
  for (const trial of trials) {
    if (!timeLeft() || findings.length >= maxFindings) break;
    const finding = await tryRun(target, trial, note);
    if (finding) findings.push(finding);
    done++;
  }
  return { done, all: trials.length, findings };
}

/** A run at its place, made as long as is wanted. */
interface Trial {
  way: 'read' | 'trickle' | 'stretch';
  make(bytes: number): Buffer;
  /** How it is made, for people. */
  told: string;
}

function trialsOf(target: Target, seed: number): Trial[] {
  const { places = [], trickle } = target;
  const at = (place: Place, runs: readonly Buffer[], way: Trial['way'] = 'read') =>
    runs.map((pattern) => runTrial(way, pattern, place));
  return [
    ...at(whole, [...singles, ...patterns]),
    ...places.flatMap((place) => at(place, [...distinctSingles, ...patterns])),
    ...(trickle === undefined ? [] : [whole, ...places].flatMap((place) => at(place, trickles, 'trickle'))),
    ...stretchesOf(target, seed).map(stretchTrial),
  ];
}

const literal = (octets: Buffer): string => `Buffer.from('${octets.toString('base64')}', 'base64')`;

function runTrial(way: Trial['way'], pattern: Buffer, place: Place): Trial {
  const sample = escaped(place(Buffer.from('\x01RUN\x01')));
  return {
    way,
    make: (bytes) => place(Buffer.alloc(bytes, pattern)),
    told: `'${escaped(pattern)}' over and over at '${sample}'`,
  };
}

function stretchTrial(stretch: Stretch): Trial {
  const { before, piece, after } = stretch;
  return {
    way: 'stretch',
    make: (bytes) => stretched(stretch, bytes),
    told: `${literal(piece)} over and over between ${literal(before)} and ${literal(after)}`,
  };
}

async function tryRun(
  target: Target,
  trial: Trial,
  note: (input: Buffer) => void,
): Promise<Finding | undefined> {
  const found = (kind: Finding['kind'], what: string): Finding => ({
    target: target.name,
    kind,
    // A megabyte is no test case to be printed; how it is made is.
    message: `${trial.told}: ${what}`,
  });
  try {
    const slow = await ways[trial.way](target, trial, note);
    return slow === undefined ? undefined : found('slow', slow);
  } catch (error) {
    return found('throw', error instanceof Error ? error.message : String(error));
  }
}

/** Each says what is too slow about the run, or nothing. */
const ways = { read: tryRead, trickle: tryTrickle, stretch: tryStretch };

type Note = (input: Buffer) => void;

const lengthOf = (target: Target, bytes: number): number => Math.min(bytes, target.longestRunBytes ?? bytes);

async function tryRead(target: Target, { make }: Trial, note: Note): Promise<string | undefined> {
  const wholeBytes = lengthOf(target, runBytes);
  const probe = make(wholeBytes * probePart);
  note(probe);
  if ((await processorMs(() => target.read(probe))) <= probeLimitMs) return undefined;
  const input = make(wholeBytes);
  note(input);
  const ms = await bestMs(() => target.read(input), runLimitMs);
  return ms <= runLimitMs ? undefined : `${Math.round(ms)} ms for ${input.length} octets`;
}

async function tryTrickle(target: Target, { make }: Trial, note: Note): Promise<string | undefined> {
  const input = make(trickleBytes);
  note(input);
  const ms = await bestMs(() => target.trickle?.(input), trickleLimitMs);
  return ms <= trickleLimitMs ? undefined : `${Math.round(ms)} ms for ${input.length} octets one by one`;
}

async function tryStretch(target: Target, { make }: Trial, note: Note): Promise<string | undefined> {
  const wholeBytes = lengthOf(target, stretchBytes);
  const [probe, input] = [make(wholeBytes * probePart), make(wholeBytes)];
  note(probe);
  const probeMs = await processorMs(() => target.read(probe));
  if (probeMs <= stretchEasyMs * probePart ** 2) return undefined;
  note(input);
  const limitMs = limitFor(input.length);
  const ms = await bestMs(() => target.read(input), limitMs);
  if (ms > limitMs) return `${Math.round(ms)} ms for ${input.length} octets; the limit is ${limitMs} ms`;
  if (ms <= stretchEasyMs) return undefined;
  const growth = await growthOf(
    () => target.read(probe),
    () => target.read(input),
    maxGrowth,
  );
  return growth <= maxGrowth
    ? undefined
    : `${Math.round(ms)} ms for ${input.length} octets, ${growth.toFixed(1)} times what a quarter takes`;
}
