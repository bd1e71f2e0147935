/**
 * `kill -9` for real: the server is killed again and again at moments that a seed chooses, under load from real clients
 * or while it starts, and started again on the same data. In the end every acknowledged message must be where it
 * belongs, and what is there twice must have been under way at a kill and be called in doubt.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { readMaildir } from '../../e2e/maildir.ts';
import { ensurePrograms } from '../../e2e/packages.ts';
import { runEmpty } from '../../e2e/peers/control.ts';
import { eventually } from '../../e2e/wait.ts';
import { withWorld } from '../../e2e/world.ts';
import { Random } from '../../fuzz/random.ts';
import { fetchAndDelete, pour, pourWhole } from './clients.ts';
import { doubleDeliveries } from './doubts.ts';
import type { Balance, Item } from './ledger.ts';
import { bob, outsider, type Stage, startStage } from './stage.ts';

export interface KillOptions {
  rounds: number;
  /** performance.now() by which all should be over; one round there is, if it can begin before the last deadline. */
  deadline: number;
  lastDeadline: number;
  seed: number;
}

export interface KillResult {
  /** Kills. */
  rounds: number;
  /** Messages whose end of data was answered with 250. */
  acknowledged: number;
  /** Of those, for so many recipients nothing was found. */
  missing: number;
  /** Messages that the world outside got more than once, as a kill in the middle of an attempt allows. */
  duplicated: number;
  /** What must not be, each in a sentence. */
  violations: string[];
}

/** One kill in so many comes while the server starts, after at most so long. */
const startKillOneIn = 8;
const longestStartMs = 700;
/** One in so many comes under load, but before anything need be acknowledged. */
const earlyKillOneIn = 4;
const longestEarlyMs = 400;
/** The others come after at most so many acknowledgements and then so long; a loaded machine is waited for so long only. */
const mostAcknowledged = 80;
const longestAfterMs = 50;
const patienceMs = 2_000;
/** The last round, without a kill, and the last balance take so long. */
const endingMs = 4_000;
/** The books are balanced each time after so many rounds. */
const roundsBetweenBalances = 50;
/** Of the server's log, shown where the rounds cannot go on. */
const logLines = 20;

export async function killRounds(options: KillOptions): Promise<KillResult> {
  await ensurePrograms(['openssl', 'swaks', 'mpop']);
  return withWorld(async (world) => {
    try {
      return await playRounds(await startStage(world), options);
    } catch (error) {
      console.error(world.logTails(logLines).join('\n'));
      throw error;
    }
  });
}

async function playRounds(
  stage: Stage,
  { rounds, deadline, lastDeadline, seed }: KillOptions,
): Promise<KillResult> {
  let done = 0;
  const isLate = () => performance.now() > (done === 0 ? lastDeadline : deadline - endingMs);
  while (done < rounds && !isLate()) {
    await playRound(stage, new Random(seed, 'kill', done));
    done += 1;
    if (done % roundsBetweenBalances === 0 && (await balance(stage)).missing.length > 0) break;
  }
  const unproved = await whatIsUnproved(stage, done);
  const { violations, ...figures } = await result(stage);
  return { rounds: done, ...figures, violations: [...unproved, ...violations] };
}

/** What stands in the way of a proof, though nothing be wrong: no kills, nothing to lose, or clients that do not work. */
async function whatIsUnproved(stage: Stage, rounds: number): Promise<string[]> {
  if (rounds === 0) return ['the server was never killed: give it more time (--seconds)'];
  const killed =
    stage.ledger.acknowledged > 0
      ? []
      : ['nothing was acknowledged before any kill: give it more time (--seconds)'];
  const { sent, unacknowledged } = await pourWhole(stage);
  if (unacknowledged === 0) return killed;
  return [...killed, `${unacknowledged} of ${sent} messages were not acknowledged, though nobody was killed`];
}

async function playRound(stage: Stage, random: Random): Promise<void> {
  if (random.oneIn(startKillOneIn)) await killAtStart(stage, random);
  else await killUnderLoad(stage, random);
  await stage.server.start();
}

async function killUnderLoad(stage: Stage, random: Random): Promise<void> {
  const load = pour(stage);
  if (random.oneIn(earlyKillOneIn)) await pause(random.below(longestEarlyMs));
  else {
    await acknowledged(stage, random.below(mostAcknowledged));
    await pause(random.below(longestAfterMs));
  }
  await kill(stage);
  await load;
  await stage.lookIntoMaildirs();
}

/** Resolves when so many more messages have been acknowledged, if there is time for it. */
async function acknowledged({ ledger }: Stage, more: number): Promise<void> {
  const goal = ledger.acknowledged + more;
  const giveUpAt = performance.now() + patienceMs;
  while (ledger.acknowledged < goal && performance.now() < giveUpAt) await pause(1);
}

/** In the middle of the recovery from an earlier kill. */
async function killAtStart(stage: Stage, random: Random): Promise<void> {
  await kill(stage);
  // Rejects where the server did not come as far as being ready, which is as good.
  const starting = stage.server.start().catch(() => {});
  await pause(random.below(longestStartMs));
  await kill(stage);
  await starting;
}

async function kill({ server, killedAt }: Stage): Promise<void> {
  killedAt.push(performance.now());
  await server.kill();
}

/** Lets everything arrive, and compares. */
async function balance(stage: Stage): Promise<Balance> {
  await runEmpty(stage.server);
  await eventually('a POP3 session to its end', async () => (await fetchAndDelete(stage)) || undefined);
  await stage.lookIntoMaildirs();
  return stage.ledger.balance();
}

async function result(stage: Stage): Promise<Omit<KillResult, 'rounds'>> {
  const { acknowledged, missing, repeated, torn, strange } = await balance(stage);
  const left = await readMaildir(stage.server.maildir(bob));
  const violations = [
    ...missing.map((item) => `${named(item)} was acknowledged and is lost`),
    ...torn.map((item) => `${named(item)} is not whole`),
    ...strange.map((what) => `${what} are no message that was sent`),
    ...stage.doubles().map(([number, who]) => `message ${number} was in a Maildir of ${who} twice`),
    ...(left.length > 0 ? [`${left.length} messages that ${bob} deleted are there again`] : []),
    ...(await doubleDeliveries(stage, repeated)),
  ];
  const duplicated = [...repeated.keys()].filter((item) => item.endsWith(` ${outsider}`)).length;
  return { acknowledged, missing: missing.length, duplicated, violations };
}

const named = (item: Item): string => `message ${item.replace(' ', ' for ')}`;
