/**
 * Fuzzes one target for a while: the long runs, the seeds as they are, then what a grammar and mutations make of them.
 * Every input is judged by the same rule: it is read without a throw, within a time that grows with its length, and
 * what was needed for it is let go afterwards.
 */

import type { Finding } from './finding.ts';
import { checkLongRuns, maxFindings } from './long-runs.ts';
import { heldBytes, maxGrowthBytes } from './memory.ts';
import { minimise } from './minimise.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { bestMs, limitFor, wallMs } from './stopwatch.ts';
import type { Target } from './targets/target.ts';

export interface TargetReport {
  target: string;
  /** Inputs that were checked, long runs included. */
  executions: number;
  perSecond: number;
  /** Long runs that were read, of all there are. */
  runs: string;
  heapGrowthBytes: number;
  findings: Finding[];
}

export interface RunOptions {
  seed: number;
  /** For this target in all, but for the minimising of what it finds. */
  milliseconds: number;
  /** Told of each input before it is read, for the case that nobody comes back from it. */
  note(input: Buffer): void;
}

/** The part of the time that the long runs may take. */
const runsShare = 0.5;
/** Inputs after which the memory in use is what it will stay: caches are filled, code is compiled. */
const warmUp = 300;
/** Checked whatever the time: less says nothing. */
const fewestInputs = 30;

export async function fuzzTarget(
  target: Target,
  { seed, milliseconds, note }: RunOptions,
): Promise<TargetReport> {
  const start = performance.now();
  const spent = () => performance.now() - start;
  const runs = await checkLongRuns(target, {
    seed,
    timeLeft: () => spent() < milliseconds * runsShare,
    note,
  });
  const { findings } = runs;
  const inputs = inputsOf(target, seed);
  let executions = 0;
  let heldBefore = await heldBytes();
  for (
    ;
    executions < fewestInputs || (spent() < milliseconds && findings.length < maxFindings);
    executions++
  ) {
    if (executions === warmUp) heldBefore = await heldBytes();
    const input = inputs(executions);
    note(input);
    const finding = await judge(target, input);
    if (finding && !findings.some((known) => isSame(known, finding)))
      findings.push(await smallest(target, finding, input, note));
  }
  const heapGrowthBytes = (await heldBytes()) - heldBefore;
  if (heapGrowthBytes > maxGrowthBytes) findings.push(leak(target, heapGrowthBytes, executions));
  return {
    target: target.name,
    executions: executions + runs.done,
    perSecond: Math.round(((executions + runs.done) / spent()) * 1000),
    runs: `${runs.done}/${runs.all}`,
    heapGrowthBytes,
    findings,
  };
}

/** What is wrong with the reading of one input, or undefined. */
export async function judge(target: Target, input: Buffer): Promise<Finding | undefined> {
  const check = () => (target.check ?? target.read).call(target, input);
  const limitMs = limitFor(input.length);
  try {
    if ((await wallMs(check)) <= limitMs) return undefined;
    const ms = await bestMs(check, limitMs);
    if (ms <= limitMs) return undefined;
    const message = `${Math.round(ms)} ms for ${input.length} octets; the limit is ${limitMs} ms`;
    return { target: target.name, kind: 'slow', message, input };
  } catch (error) {
    return { target: target.name, kind: 'throw', message: messageOf(error), input };
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /\((?:file:\/\/)?(\S*\/(?:src|node_modules)\/\S+)\)/.exec(error.stack ?? '')?.[1];
  return `${error.name}: ${error.message}${place === undefined ? '' : ` at ${place.replace(/^.*?\/(?=src\/|node_modules\/)/, '')}`}`;
}

/** One fault shows itself in many inputs, with other numbers and other excerpts. */
function isSame(one: Finding, other: Finding): boolean {
  const gist = ({ message }: Finding) => message.replace(/[\d]+|[…'"].*$/g, '').slice(0, 60);
  return one.kind === other.kind && gist(one) === gist(other);
}

async function smallest(
  target: Target,
  finding: Finding,
  input: Buffer,
  note: (input: Buffer) => void,
): Promise<Finding> {
  let last = finding;
  const small = await minimise(input, async (candidate) => {
    note(candidate);
    const found = await judge(target, candidate);
    if (found === undefined || !isSame(found, finding)) return false;
    last = found;
    return true;
  });
  return { ...last, input: small };
}

function leak(target: Target, growthBytes: number, executions: number): Finding {
  const message = `${Math.round(growthBytes / 2 ** 20)} MiB more in use after ${executions} inputs`;
  return { target: target.name, kind: 'memory', message };
}

/** The input of each number: first the seeds, then new ones, half of them mutated once more. */
function inputsOf(target: Target, seed: number): (number: number) => Buffer {
  const seeds = target.seeds();
  return (number) => {
    const asItIs = seeds[number];
    if (asItIs !== undefined) return asItIs;
    const random = new Random(seed, target.name, number);
    if (seeds.length === 0 || random.oneIn(20)) return random.octets(random.length(4096));
    const grown = target.generate !== undefined && random.oneIn(2) ? target.generate(random) : undefined;
    if (grown !== undefined && random.oneIn(2)) return grown;
    return mutate(grown ?? random.pick(seeds), random, random.pick(seeds));
  };
}
