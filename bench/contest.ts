/**
 * The same load for several servers in turn, A B A B …, on the same machine in the same minutes: rates, CPU time and
 * memory of each round. Knows nothing of what the servers do with the messages, only where they arrive.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { Arrivals } from './arrivals.ts';
import { treeCpuMs, withPeakPss } from './measure.ts';

export interface Contestant {
  readonly name: string;
  readonly description: string;
  /** The root of its process tree. */
  readonly pid: number;
  /** Messages that have passed through it. */
  readonly arrivals: Arrivals;
  /** Sends so many; resolves when the last one is acknowledged. */
  send(messages: number): Promise<void>;
  /** Called after each round, outside of the measurement. */
  tidyUp?(): Promise<void>;
}

export interface ContestOptions {
  /** For each round; fewer for a server that would take too long over them. */
  messages: number;
  rounds: number;
  /** No round is begun that would end later than this, but one of each is always played. */
  budgetMs: number;
  /** After the last arrival, a server may still have to write down that it was so. Default 1 s. */
  settleMs?: number;
  /** A server that needs longer for a round gets fewer messages. Default 15 s. */
  roundLimitMs?: number;
}

export interface Round {
  /** Messages per second from the first connection to the last acknowledgement. */
  acceptedPerSecond: number;
  /** Messages per second until the last one has arrived. */
  deliveredPerSecond: number;
  /** Of the whole process tree. */
  cpuMsPerMessage: number;
  peakPssBytes: number;
}

export interface Played {
  name: string;
  description: string;
  rounds: Round[];
}

/** Each warms up, then they play in turn; each round is told as it ends. */
export async function playContest(
  contestants: readonly Contestant[],
  { messages, rounds, budgetMs, settleMs = 1_000, roundLimitMs = 15_000 }: ContestOptions,
  log: (line: string) => void,
): Promise<Played[]> {
  const startedAt = performance.now();
  const field = await warmUp(contestants, { messages, settleMs, roundLimitMs });
  let longestMs = 0;
  for (let round = 0; round < rounds; round += 1) {
    const roundAt = performance.now();
    if (round > 0 && roundAt - startedAt + longestMs > budgetMs) break;
    for (const { contestant, messages, rounds } of field) {
      rounds.push(await playRound(contestant, { messages, settleMs }));
      await contestant.tidyUp?.();
    }
    longestMs = Math.max(longestMs, performance.now() - roundAt);
    log(`  round ${round + 1} of ${rounds}: ${field.map(lastRate).join(', ')}`);
  }
  return field.map(({ contestant: { name, description }, rounds }) => ({ name, description, rounds }));
}

interface Player {
  contestant: Contestant;
  /** For each round. */
  messages: number;
  rounds: Round[];
}

/**
 * As much as a round, in two parts, of which the first tells how much that may be. Servers run for weeks, and a compiler
 * that learns from what runs needs some ten thousand messages to know them.
 */
async function warmUp(
  contestants: readonly Contestant[],
  { messages, settleMs, roundLimitMs }: RoundOptions & { roundLimitMs: number },
): Promise<Player[]> {
  const field: Player[] = [];
  for (const contestant of contestants) {
    const quarter = Math.ceil(messages / 4);
    const { deliveredPerSecond } = await playRound(contestant, { messages: quarter, settleMs });
    const manageable = Math.min(messages, Math.ceil((deliveredPerSecond * roundLimitMs) / 1000));
    if (manageable > quarter) await playRound(contestant, { messages: manageable - quarter, settleMs });
    await contestant.tidyUp?.();
    field.push({ contestant, messages: manageable, rounds: [] });
  }
  return field;
}

const lastRate = ({ contestant, rounds }: Player): string =>
  `${contestant.name} ${rounds.at(-1)?.deliveredPerSecond.toFixed(0)}/s`;

interface RoundOptions {
  messages: number;
  settleMs: number;
}

async function playRound(contestant: Contestant, { messages, settleMs }: RoundOptions): Promise<Round> {
  const { arrivals, pid } = contestant;
  const goal = (await arrivals.count()) + messages;
  const cpuBefore = treeCpuMs(pid);
  const { result: seconds, peakBytes } = await withPeakPss(pid, async () => {
    const startedAt = performance.now();
    await contestant.send(messages);
    const accepted = secondsSince(startedAt);
    await arrivals.reached(goal);
    return { accepted, delivered: secondsSince(startedAt) };
  });
  await pause(settleMs);
  const cpuMs = treeCpuMs(pid) - cpuBefore;
  const twice = (await arrivals.count()) - goal;
  if (twice > 0) throw new Error(`${contestant.name}: ${twice} messages more than were sent have arrived`);
  return {
    acceptedPerSecond: messages / seconds.accepted,
    deliveredPerSecond: messages / seconds.delivered,
    cpuMsPerMessage: cpuMs / messages,
    peakPssBytes: peakBytes,
  };
}

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1000;
