/**
 * How long a client waits from the dot that ends its message to the 250, while the server relays everything on: with
 * one session, with 20 and with 200, each sending one message after the other.
 */

import { startCountingSink } from './arrivals.ts';
import type { Bench, BenchContext, BenchReport, BenchRow } from './bench.ts';
import { openSession } from './latency-client.ts';
import { skipLine } from './peers/peers.ts';
import { relayingPostfix, tunedPostfix, tuning } from './peers/postfix.ts';
import { posthornRelay } from './peers/posthorn.ts';
import type { Relay } from './peers/relay.ts';
import { quantile } from './statistics.ts';
import { formatTable } from './table.ts';
import { brief } from './targets.ts';

export const latencyBench: Bench = {
  name: 'latency',
  description: "from DATA's dot to 250: p50 and p99 at 1, 20 and 200 sessions",
  run: benchLatency,
};

const sessionCounts = [1, 20, 200];

/** Postfix gives every session a process; by default not more than 100. */
const manySessions = { default_process_limit: '300' };

interface Measured {
  sessions: number;
  relay: Relay;
  /** Milliseconds, all rounds together. */
  times: number[];
}

async function benchLatency(context: BenchContext): Promise<BenchReport> {
  const { sizeBytes = 1_024, rounds = 3, seconds = 4, sessions } = context.options;
  const sink = await startCountingSink(context.world);
  const relays = await startServers(context, sink.port);
  const results: Measured[] = [];
  for (const count of sessions === undefined ? sessionCounts : [sessions]) {
    context.log(`  ${count} sessions …`);
    const field = relays.map((relay): Measured => ({ sessions: count, relay, times: [] }));
    for (const { relay } of field) await playRound(relay, { sizeBytes, sessions: count, seconds: 1 });
    for (let round = 0; round < rounds; round += 1) {
      for (const { relay, times } of field)
        times.push(...(await playRound(relay, { sizeBytes, sessions: count, seconds })));
    }
    results.push(...field);
  }
  return {
    rows: latencyRows(sizeBytes, results),
    text: `${latencyTable(sizeBytes, results)}\n${relays.map(({ name, description }) => `  ${name}: ${description}`).join('\n')}`,
  };
}

async function startServers(context: BenchContext, sinkPort: number): Promise<Relay[]> {
  const ours = await posthornRelay(context, sinkPort);
  try {
    const parameters = { ...tuning, ...manySessions };
    return [ours, await relayingPostfix(context.world, { name: tunedPostfix.name, sinkPort, parameters })];
  } catch (error) {
    context.log(skipLine(tunedPostfix, error));
    return [ours];
  }
}

interface RoundOptions {
  sizeBytes: number;
  sessions: number;
  seconds: number;
}

async function playRound({ port }: Relay, { sizeBytes, sessions, seconds }: RoundOptions): Promise<number[]> {
  const open = await Promise.all(Array.from({ length: sessions }, () => openSession({ port, sizeBytes })));
  const until = performance.now() + seconds * 1000;
  const times = await Promise.all(open.map((session) => session.measure(until)));
  for (const session of open) session.close();
  return times.flat();
}

const points = [
  { name: 'p50', at: 0.5 },
  { name: 'p99', at: 0.99 },
];

/** Pairs of ours and the peer's by number of sessions and quantile; a low ratio is good here. */
function latencyRows(sizeBytes: number, results: readonly Measured[]): BenchRow[] {
  return [...Map.groupBy(results, ({ sessions }) => sessions)].flatMap(([sessions, [ours, theirs]]) =>
    ours === undefined || theirs === undefined
      ? []
      : points.map(({ name, at }) => {
          const [our, their] = [quantile(ours.times, at), quantile(theirs.times, at)];
          const unit = `ms ${name}, ${sessions} sessions`;
          return {
            bench: 'latency',
            peer: theirs.relay.name,
            sizeBytes,
            unit,
            ours: our,
            theirs: their,
            ratio: our / their,
          };
        }),
  );
}

function latencyTable(sizeBytes: number, results: readonly Measured[]): string {
  const lines = results.map(({ sessions, relay, times }) => [
    String(sessions),
    relay.name,
    ...points.map(({ at }) => brief(quantile(times, at))),
    String(times.length),
  ]);
  const titles = ['sessions', '', ...points.map(({ name }) => `${name} ms`), 'messages'];
  return `latency: from the dot of ${sizeBytes} octets to 250\n${formatTable(titles, lines)}`;
}
