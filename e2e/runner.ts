/**
 * Plays scenarios one after the other and says what held. A scenario is a story of steps; a step that fails is told
 * and the story goes on, so that one run shows everything that is wrong. Knows no mail word.
 */

import { type World, withWorld } from './world.ts';

export interface Stage {
  world: World;
  /** One claim and its proof: holds if `proof` resolves within `limitMs` (default 60 s). */
  step(claim: string, proof: () => Promise<void> | void, limitMs?: number): Promise<void>;
  /** Says why something cannot be shown on this machine; neither passed nor failed. */
  skip(claim: string, reason: string): void;
}

export interface Scenario {
  name: string;
  play(stage: Stage): Promise<void>;
}

export const scenario = (name: string, play: Scenario['play']): Scenario => ({ name, play });

export interface Failure {
  /** Scenario and claim. */
  name: string;
  reason: string;
}

export interface Score {
  passed: number;
  failed: number;
  failures: Failure[];
}

const defaultLimitMs = 60_000;

/** Plays all, printing as it goes; the sum of what held and what did not. */
export async function playAll(scenarios: readonly Scenario[]): Promise<Score> {
  const scores: Score[] = [];
  for (const each of scenarios) scores.push(await playOne(each, console.log));
  return sumOf(scores);
}

export function sumOf(scores: readonly Score[]): Score {
  return {
    passed: scores.reduce((sum, { passed }) => sum + passed, 0),
    failed: scores.reduce((sum, { failed }) => sum + failed, 0),
    failures: scores.flatMap(({ failures }) => failures),
  };
}

/** Plays one in a world of its own; `print` gets what there is to say, line by line. */
export async function playOne({ name, play }: Scenario, print: (text: string) => void): Promise<Score> {
  const score: Score = { passed: 0, failed: 0, failures: [] };
  const fail = (claim: string, reason: string) => {
    score.failed += 1;
    score.failures.push({ name: `${name}: ${claim}`, reason });
  };
  print(`\n${name}`);
  const tell = async (claim: string, limitMs: number, proof: () => Promise<void> | void) => {
    const startedAt = performance.now();
    const error = await failureOf(proof, limitMs);
    if (error === undefined) score.passed += 1;
    else fail(claim, error);
    print(`  ${error === undefined ? 'ok  ' : 'FAIL'} ${claim} (${seconds(performance.now() - startedAt)})`);
    if (error !== undefined) print(indent(error, 7));
  };
  await withWorld(async (world) => {
    const stage: Stage = {
      world,
      step: (claim, proof, limitMs = defaultLimitMs) => tell(claim, limitMs, proof),
      skip: (claim, reason) => print(`  skip ${claim}: ${reason}`),
    };
    const error = await failureOf(() => play(stage), 10 * defaultLimitMs);
    if (error !== undefined) {
      fail('played to its end', error);
      print(`  FAIL the scenario could not be played to its end\n${indent(error, 7)}`);
    }
    if (score.failed > 0) for (const tail of world.logTails(15)) print(indent(tail, 7));
  });
  return score;
}

/** The error of an action as text, or undefined if there was none. */
async function failureOf(action: () => Promise<void> | void, limitMs: number): Promise<string | undefined> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not done after ${seconds(limitMs)}`)), limitMs);
  try {
    await Promise.race([action(), late]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? described(error) : String(error);
  } finally {
    clearTimeout(timer);
  }
}

/** The message, and the one line of the stack that is part of the story. */
function described({ message, stack = '' }: Error): string {
  const place = stack.split('\n').find((line) => line.includes('/scenarios/')) ?? '';
  return `${message}\n${place.trim()}`.trimEnd();
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const indent = (text: string, width: number): string => text.replace(/^/gm, ' '.repeat(width));
