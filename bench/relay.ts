/**
 * smtp-source → server → smtp-sink, for Posthorn and Postfix in turn on the same machine in the same minutes. Both
 * servers acknowledge a message when it is on disk; the sink's count says when the last one is through.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { World } from '../e2e/world.ts';
import { type CountingSink, type LoadOptions, sendLoad, startCountingSink } from './load.ts';
import { treeCpuMs, withPeakPss } from './measure.ts';
import { postfixRelay } from './peers/postfix.ts';
import { posthornRelay } from './peers/posthorn.ts';
import type { Relay } from './peers/relay.ts';

export interface RelayOptions extends LoadOptions {
  rounds: number;
}

/** What one round of one server came to. */
export interface RelayRound {
  /** Messages per second from the first connection to the last acknowledgement. */
  acceptedPerSecond: number;
  /** Messages per second until the sink has the last one. */
  deliveredPerSecond: number;
  cpuMsPerMessage: number;
  peakPssBytes: number;
}

export interface RelayResult {
  servers: { name: string; description: string; rounds: RelayRound[] }[];
  /** Messages per second from source to sink with nothing between: more cannot be measured here. */
  limitPerSecond: number[];
}

/** After the sink has everything, a server may still have to write down that it was so. */
const settleMs = 1_000;

/** Runs the rounds in turn: A B A B …, after each server has warmed up. */
export async function benchRelay(world: World, options: RelayOptions): Promise<RelayResult> {
  const sink = await startCountingSink(world);
  const relays = [await posthornRelay(world, sink.port), await postfixRelay(world, sink.port)];
  const servers = relays.map((relay) => ({ relay, rounds: [] as RelayRound[] })); // Typed, or it would be never[].
  for (const { relay } of servers) await playRound(relay, sink, { ...options, messages: warmUp(options) });
  const limitPerSecond: number[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    for (const { relay, rounds } of servers) rounds.push(await playRound(relay, sink, options));
    limitPerSecond.push(await playDirect(sink, options));
  }
  return {
    servers: servers.map(({ relay: { name, description }, rounds }) => ({ name, description, rounds })),
    limitPerSecond,
  };
}

const warmUp = ({ messages }: LoadOptions): number => Math.ceil(messages / 4);

async function playRound(relay: Relay, sink: CountingSink, options: LoadOptions): Promise<RelayRound> {
  const goal = (await sink.count()) + options.messages;
  const cpuBefore = treeCpuMs(relay.pid);
  const { result: seconds, peakBytes } = await withPeakPss(relay.pid, async () => {
    const startedAt = performance.now();
    await sendLoad(relay.port, options);
    const accepted = secondsSince(startedAt);
    await sink.reached(goal);
    return { accepted, delivered: secondsSince(startedAt) };
  });
  await pause(settleMs);
  return {
    acceptedPerSecond: options.messages / seconds.accepted,
    deliveredPerSecond: options.messages / seconds.delivered,
    cpuMsPerMessage: (treeCpuMs(relay.pid) - cpuBefore) / options.messages,
    peakPssBytes: peakBytes,
  };
}

async function playDirect(sink: CountingSink, options: LoadOptions): Promise<number> {
  const startedAt = performance.now();
  await sendLoad(sink.port, options);
  return options.messages / secondsSince(startedAt);
}

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1000;
