/**
 * smtp-source → server → smtp-sink, for Posthorn and its peers in turn. Every server acknowledges a message as it does
 * by default; the sink's count says when the last one is through.
 */

import { type CountingSink, startCountingSink } from './arrivals.ts';
import type { Bench, BenchContext, BenchReport, Target } from './bench.ts';
import {
  contestTable,
  cpuPerMessage,
  deliveredRate,
  descriptions,
  highestMemory,
  rateRows,
} from './comparison.ts';
import { type Played, playContest } from './contest.ts';
import type { Load } from './load.ts';
import { startPeers } from './peers/peers.ts';
import { tunedPostfix } from './peers/postfix.ts';
import { posthornRelay } from './peers/posthorn.ts';
import type { Relay } from './peers/relay.ts';
import { directRelay, relayContestant } from './relay-contestant.ts';
import { settingsFor } from './settings.ts';
import { atLeast, atMost } from './targets.ts';

/** Messages per round by size. */
const defaultMessages = new Map([
  [1_024, 10_000],
  [10_240, 6_000],
  [102_400, 2_500],
]);

const defaultSizes = [...defaultMessages.keys()];

export const relayBench: Bench = {
  name: 'relay',
  description: 'relayed end to end, durable, connections reused; 1, 10 and 100 KiB',
  run: (context) => benchRelay(context, { bench: 'relay', connections: 'reused', sizes: defaultSizes }),
};

export const relaySessionsBench: Bench = {
  name: 'relay-sessions',
  description: 'relayed end to end, one message per connection; 1 KiB',
  run: (context) => benchRelay(context, { bench: 'relay-sessions', connections: 'each', sizes: [1_024] }),
};

interface Variant {
  bench: string;
  connections: Load['connections'];
  sizes: readonly number[];
}

interface SizeResult {
  sizeBytes: number;
  played: Played[];
  text: string;
}

async function benchRelay(context: BenchContext, variant: Variant): Promise<BenchReport> {
  const { options, world } = context;
  const sink = await startCountingSink(world);
  const relays = [await posthornRelay(context, sink.port), ...(await startPeers(context, sink))];
  const results: SizeResult[] = [];
  for (const sizeBytes of options.sizeBytes === undefined ? variant.sizes : [options.sizeBytes]) {
    context.log(`  ${sizeBytes} octets …`);
    results.push(await playSize(context, { variant, sizeBytes, sink, relays }));
  }
  return {
    rows: results.flatMap(({ sizeBytes, played }) => rateRows(variant.bench, sizeBytes, played)),
    text: [...results.map(({ text }) => text), descriptions(results[0]?.played ?? [])].join('\n'),
    targets: relayTargets(variant.bench, results),
  };
}

interface Stage {
  variant: Variant;
  sizeBytes: number;
  sink: CountingSink;
  relays: readonly Relay[];
}

async function playSize(
  { options, log }: BenchContext,
  { variant, sizeBytes, sink, relays }: Stage,
): Promise<SizeResult> {
  const settings = settingsFor(options, {
    messages: defaultMessages.get(sizeBytes) ?? 5_000,
    isOnly: variant.sizes.length === 1,
  });
  const { messages, sessions } = settings;
  const load = { sizeBytes, sessions, connections: variant.connections };
  const field = [...relays, directRelay(sink)].map((relay) => relayContestant(relay, sink, load));
  const played = await playContest(field, settings, log);
  const limit = played.pop();
  const title = `${variant.bench}: ${messages} messages of ${sizeBytes} octets, ${sessions} sessions`;
  return { sizeBytes, played, text: contestTable(title, played, limit) };
}

/** Against tuned Postfix only: the others are there to be seen. */
function relayTargets(bench: string, results: readonly SizeResult[]): Target[] {
  const pairs = results.flatMap(({ sizeBytes, played: [ours, ...others] }) => {
    const theirs = others.find(({ name }) => name === tunedPostfix.name);
    return ours === undefined || theirs === undefined ? [] : [{ sizeBytes, ours, theirs }];
  });
  const ratios = pairs.map(({ sizeBytes, ours, theirs }) => {
    const asked = sizeBytes > 50_000 ? { must: 2, aim: 2.7, unit: ' ×' } : { must: 3, aim: 6, unit: ' ×' };
    const what = `${bench} ${sizeBytes} octets, of tuned Postfix`;
    return atLeast(what, deliveredRate(ours) / deliveredRate(theirs), asked);
  });
  return bench === 'relay' ? [...ratios, ...frugality(pairs)] : ratios;
}

interface Pair {
  sizeBytes: number;
  ours: Played;
  theirs: Played;
}

/** CPU time is asked for at 1 KiB, where there is most of it in a message; memory at the worst moment of all. */
function frugality(pairs: readonly Pair[]): Target[] {
  const cpu = pairs
    .filter(({ sizeBytes }) => sizeBytes === 1_024)
    .map(({ ours, theirs }) =>
      atMost(
        'relay 1024 octets, CPU per message, of tuned Postfix',
        cpuPerMessage(ours) / cpuPerMessage(theirs),
        { must: 0.333, aim: 0.167, unit: ' ×' },
      ),
    );
  const theirPeak = Math.max(...pairs.map(({ theirs }) => highestMemory(theirs)));
  const ourPeak = Math.max(...pairs.map(({ ours }) => highestMemory(ours)));
  const asked = { must: theirPeak, aim: 100, unit: ' MiB' };
  return pairs.length === 0
    ? cpu
    : [...cpu, atMost('relay, peak PSS, against tuned Postfix', ourPeak, asked)];
}
