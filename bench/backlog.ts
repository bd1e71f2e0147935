/**
 * A million deferred messages: how the server starts over them, what it and its answers cost then, and whether fresh mail
 * is as quick as on an empty queue, also while many of them come due. And that the disk space comes back afterwards.
 */

import { join } from 'node:path';
import { startDns } from '../e2e/peers/dns.ts';
import type { Posthorn } from '../e2e/peers/posthorn.ts';
import { run } from '../e2e/process.ts';
import { type CountingSink, startCountingSink } from './arrivals.ts';
import type { BacklogOrder } from './backlog/builder.ts';
import { comeDue } from './backlog/come-due.ts';
import { destinationsZone, jobsPerDestination } from './backlog/destinations.ts';
import { dropAll } from './backlog/drop.ts';
import { measureListing } from './backlog/listing.ts';
import { type BacklogResult, backlogReport } from './backlog/report.ts';
import type { Bench, BenchContext, BenchReport } from './bench.ts';
import { type Contestant, type Played, playContest } from './contest.ts';
import { memoryOf, withPeakMemory } from './memory.ts';
import { startBuilt } from './peers/posthorn.ts';
import { relayContestant } from './relay-contestant.ts';
import { settingsFor } from './settings.ts';

const defaultJobs = 1_000_000;
const bodyBytes = 1_024;
/** Of fresh mail, for a round. */
const freshMessages = 10_000;
/** This part of the backlog comes due while fresh mail is measured. */
const duePart = 0.1;

const buildLimitMs = 900_000;
const starts = 3;

export const backlogBench: Bench = {
  name: 'backlog',
  description: '1,000,000 deferred messages to 10,000 destinations (--messages: how many)',
  isLarge: true,
  run: benchBacklog,
};

async function benchBacklog(context: BenchContext): Promise<BenchReport> {
  const jobs = context.options.messages ?? defaultJobs;
  const destinations = Math.ceil(jobs / jobsPerDestination);
  const dataDir = context.world.path('full', 'data');
  const buildMs = await build(context, { dataDir, jobs, destinations, sizeBytes: bodyBytes });
  context.log(`  built in ${(buildMs / 1000).toFixed(0)} s`);
  const stage = await setStage(context, destinations);
  const startMs = await measureStarts(stage.full);
  const idle = memoryOf(stage.full.pid);
  const listing = await measureListing(stage.full);
  const fresh = await measureFreshMail(context, stage, destinations);
  const dropped = await dropAll(stage.full, context);
  return backlogReport({ jobs, destinations, buildMs, startMs, idle, listing, ...fresh, dropped });
}

async function build({ world }: BenchContext, order: BacklogOrder): Promise<number> {
  const startedAt = performance.now();
  const script = join(import.meta.dirname, 'backlog', 'builder.ts');
  const { code, output } = await run(process.execPath, [script, JSON.stringify(order)], {
    timeoutMs: buildLimitMs,
  });
  if (code !== 0) throw new Error(`the backlog could not be built in ${world.path()}:\n${output}`);
  return performance.now() - startedAt;
}

/** Two servers that are alike but for the backlog, and where their mail goes. */
interface Stage {
  sink: CountingSink;
  empty: Posthorn;
  full: Posthorn;
}

/** Fresh mail goes there, to the sink. */
const freshDomain = 'fresh.example.net';

async function setStage(context: BenchContext, destinations: number): Promise<Stage> {
  const sink = await startCountingSink(context.world);
  const dnsPort = await startDns(context.world, {
    ...destinationsZone(destinations),
    [freshDomain]: { MX: [[10, `mx.${freshDomain}`]] },
    [`mx.${freshDomain}`]: { A: ['127.0.0.1'] },
  });
  const options = { dnsPort, delivery: { port: sink.port } };
  const empty = await startBuilt(context, { ...options, name: 'empty' });
  const full = await startBuilt(context, { ...options, name: 'full' });
  return { sink, empty, full };
}

/** From the command to `posthorn ready`, with the files in the system's cache. */
async function measureStarts(server: Posthorn): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < starts; count += 1) {
    await server.stop();
    const startedAt = performance.now();
    await server.start();
    times.push(performance.now() - startedAt);
  }
  return times;
}

type FreshMail = Pick<BacklogResult, 'waiting' | 'coming' | 'dueJobs' | 'peaks'>;

async function measureFreshMail(
  context: BenchContext,
  { sink, empty, full }: Stage,
  destinations: number,
): Promise<FreshMail> {
  const settings = settingsFor({ ...context.options, messages: freshMessages }, { messages: freshMessages });
  const { sizeBytes, sessions } = settings;
  const load = { sizeBytes, sessions, connections: 'reused', recipient: `fresh@${freshDomain}` } as const;
  const contestant = (name: string, server: Posthorn): Contestant =>
    relayContestant({ name, description: '', pid: server.pid, port: server.port('smtp') }, sink, load);
  const play = (ours: Contestant, theirs: Contestant) =>
    withPeakMemory(ours.pid, () => playContest([ours, theirs], settings, context.log));
  const onEmpty = contestant('empty queue', empty);
  context.log('  fresh mail, the backlog waiting …');
  const waiting = await play(contestant('backlog', full), onEmpty);
  context.log('  fresh mail, some of the backlog coming due …');
  const due = await comeDue(full, Math.ceil(destinations * duePart));
  const beside = { ...contestant('backlog coming due', full), tidyUp: due.pause };
  const coming = await play(beside, { ...onEmpty, tidyUp: due.goOn });
  return {
    waiting: pair(waiting.result),
    coming: pair(coming.result),
    dueJobs: due.jobs(),
    peaks: [waiting.peak, coming.peak],
  };
}

function pair([ours, theirs]: readonly Played[]): [ours: Played, theirs: Played] {
  if (ours === undefined || theirs === undefined) throw new Error('a contest of two came to less than two');
  return [ours, theirs];
}
