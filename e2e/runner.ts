/**
 * Plays scenarios, some of them at the same time, and says what held. A scenario is a story of steps; a step that fails is
 * told and the story goes on, so that one run shows everything that is wrong. Knows no mail word.
 */

import { type World, withWorld } from './world.ts';

export interface Stage {
  world: World;
  /** One claim and its proof: holds if `proof` resolves within `limitMs` (default 60 s). */
  step(claim: string, proof: () => Promise<void> | void, limitMs?: number): Promise<void>;
  /** Says why something cannot be shown on this machine; neither passed nor failed. */
  skip(claim: string, reason: string): void;
  /** A figure that was found, below the steps. */
  say(text: string): void;
}

export interface Scenario {
  name: string;
  /** Why no other scenario may be played at the same time; others may be. */
  alone?: string;
  play(stage: Stage): Promise<void>;
}

export const scenario = (name: string, play: Scenario['play']): Scenario => ({ name, play });

/** For one that changes what the others stand on, or measures what they would disturb. */
export const alone = (because: string, { name, play }: Scenario): Scenario => ({
  name,
  alone: because,
  play,
});

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

/**
 * Plays so many at a time (`lanes`), then those that are to be alone; the sum of what held and what did not. Of what is played
 * beside another all is printed when it has ended, of the rest as it goes.
 */
export async function playAll(
  scenarios: readonly Scenario[],
  lanes: number,
  print: (text: string) => void = console.log,
): Promise<Score> {
  const together = lanes > 1 ? scenarios.filter(({ alone }) => alone === undefined) : [];
  const scores = await playTogether(together, lanes, print);
  for (const each of scenarios) if (!together.includes(each)) scores.push(await playOne(each, print));
  return sumOf(scores);
}

async function playTogether(
  scenarios: readonly Scenario[],
  lanes: number,
  print: (text: string) => void,
): Promise<Score[]> {
  const scores: Score[] = [];
  const waiting = scenarios.values(); // of which each lane takes what comes next
  const playLane = async () => {
    for (const each of waiting) scores.push(await playWhole(each, print));
  };
  await Promise.all(Array.from({ length: lanes }, playLane));
  return scores;
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
      say: (text) => print(indent(text, 7)),
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

/** Like `playOne`, but what there is to say is said at the end, in one piece: for those that are played beside others. */
export async function playWhole(scenario: Scenario, print: (text: string) => void): Promise<Score> {
  const said: string[] = [];
  const score = await playOne(scenario, (text) => said.push(text));
  print(said.join('\n'));
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
