/**
 * Relay on a disk whose every sync takes a millisecond longer: a server that syncs for each message feels it, one that
 * syncs for many at once does not. Against tuned Postfix on the same slow disk, and against ourselves without it.
 */

import { runOk } from '../e2e/process.ts';
import { startCountingSink } from './arrivals.ts';
import type { Bench, BenchContext, BenchReport } from './bench.ts';
import { contestTable, deliveredRate, descriptions } from './comparison.ts';
import { type Contestant, type Played, playContest } from './contest.ts';
import { relayingPostfix, tuning } from './peers/postfix.ts';
import { posthornRelay } from './peers/posthorn.ts';
import type { Relay } from './peers/relay.ts';
import { relayContestant } from './relay-contestant.ts';
import { settingsFor } from './settings.ts';
import { assignments, buildSlowSync, type SlowSync } from './shim.ts';
import { atLeast } from './targets.ts';

export const slowSyncBench: Bench = {
  name: 'slow-sync',
  description: 'relay 1 KiB with every sync 1 ms slower for both',
  run: benchSlowSync,
};

const delayUs = 1_000;

/** A server whose syncs are slow, and the count of them. */
interface Slowed {
  relay: Relay;
  slow: SlowSync;
}

async function benchSlowSync(context: BenchContext): Promise<BenchReport> {
  const { options, world } = context;
  const settings = settingsFor(options, { messages: 6_000 });
  const { messages, sizeBytes, sessions } = settings;
  const sink = await startCountingSink(world);
  const undelayed = await posthornRelay(context, sink.port, { name: 'posthorn' });
  const slowed = await startSlowed(context, sink.port);
  const load = { sizeBytes, sessions, connections: 'reused' } as const;
  const field: Contestant[] = [...slowed.map(({ relay }) => relay), undelayed].map((relay) =>
    relayContestant(relay, sink, load),
  );
  const played = await playContest(field, settings, context.log);
  const syncs = await Promise.all(
    slowed.map(async ({ relay, slow }) => ({ name: relay.name, count: await slow.count() })),
  );
  const title = `slow-sync: every sync ${delayUs / 1000} ms slower, ${messages} messages of ${sizeBytes} octets, ${sessions} sessions`;
  const counts = syncs.map(({ name, count }) => `  ${name}: ${count} syncs intercepted`);
  return {
    ...judge(sizeBytes, played),
    text: [contestTable(title, played), ...counts, descriptions(played)].join('\n'),
    failed: syncs
      .filter(({ count }) => count === 0)
      .map(({ name }) => `slow-sync: the shim intercepted nothing in ${name}`),
  };
}

/** Ours through env(1); Postfix gives its daemons only what import_environment names. postconf(5). */
async function startSlowed(context: BenchContext, sinkPort: number): Promise<[Slowed, Slowed]> {
  const { world } = context;
  const shimFor = await buildSlowSync(world, delayUs);
  const ourSlow = await shimFor('posthorn-slow');
  const ours = await posthornRelay(context, sinkPort, {
    name: 'posthorn-slow',
    inside: ['env', ...assignments(ourSlow.environment)],
  });
  const theirSlow = await shimFor('postfix-slow');
  const theirs = await relayingPostfix(world, {
    name: 'postfix-tuned-slow',
    sinkPort,
    parameters: tuning,
    silently: { import_environment: await importing(theirSlow.environment) },
  });
  return [
    { relay: ours, slow: ourSlow },
    { relay: theirs, slow: theirSlow },
  ];
}

/** What Postfix imports by default, MAIL_CONFIG above all, and more. */
async function importing(environment: SlowSync['environment']): Promise<string> {
  const { stdout } = await runOk('postconf', ['-d', '-h', 'import_environment']);
  return [stdout.toString().trim(), ...assignments(environment)].join(' ');
}

function judge(sizeBytes: number, played: readonly Played[]): Pick<BenchReport, 'rows' | 'targets'> {
  const [ours = 0, theirs = 0, undelayed = 0] = played.map(deliveredRate);
  const row = (peer: string, other: number) =>
    ({
      bench: 'slow-sync',
      peer,
      sizeBytes,
      unit: 'msg/s',
      ours,
      theirs: other,
      ratio: ours / other,
    }) as const;
  return {
    rows: [row('postfix-tuned', theirs), row('posthorn undelayed', undelayed)],
    targets: [
      atLeast('slow-sync, of tuned Postfix', ours / theirs, { must: 3, aim: 6, unit: ' ×' }),
      atLeast('slow-sync, of our undelayed figure', (100 * ours) / undelayed, {
        must: 70,
        aim: 90,
        unit: ' %',
      }),
    ],
  };
}
