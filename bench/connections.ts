/**
 * Thousands of SMTP sessions that have said EHLO and nothing since: what each of them costs, and whether fresh mail
 * through other connections is as quick as without them, in turn on one server.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Running, start } from '../e2e/process.ts';
import type { World } from '../e2e/world.ts';
import { type CountingSink, startCountingSink } from './arrivals.ts';
import type { Bench, BenchContext, BenchReport } from './bench.ts';
import { contestTable, deliveredRate } from './comparison.ts';
import { type Contestant, type Played, playContest } from './contest.ts';
import { treePssBytes } from './measure.ts';
import { posthornRelay } from './peers/posthorn.ts';
import type { Relay } from './peers/relay.ts';
import { relayContestant } from './relay-contestant.ts';
import { settingsFor } from './settings.ts';
import { atLeast, atMost } from './targets.ts';

const defaultIdle = 5_000;
const loadSessions = 20;
const maxKibEach = 40;
const minShare = 0.9;

export const connectionsBench: Bench = {
  name: 'connections',
  description: '5,000 idle SMTP sessions: memory each, and fresh mail beside them (--sessions: how many)',
  run: benchConnections,
};

async function benchConnections(context: BenchContext): Promise<BenchReport> {
  const idle = context.options.sessions ?? defaultIdle;
  const sink = await startCountingSink(context.world);
  const relay = await startRelay(context, sink.port, idle);
  const crowd = createCrowd(context.world, relay, idle);
  const settings = settingsFor({ ...context.options, sessions: loadSessions }, { messages: 10_000 });
  const [alone, beside] = await playContest(
    contestants(relay, sink, crowd, settings.sizeBytes),
    settings,
    context.log,
  );
  if (alone === undefined || beside === undefined) throw new Error('a contest of two came to less than two');
  return report({ idle, sizeBytes: settings.sizeBytes, bytesEach: crowd.bytesEach(), alone, beside });
}

/** Descriptors beyond those of the sessions: the store, the sink, the load. */
const otherFiles = 1_000;

async function startRelay(context: BenchContext, sinkPort: number, idle: number): Promise<Relay> {
  const limits = { sessions: idle + otherFiles, sessionsPerAddress: idle + otherFiles };
  return posthornRelay(context, sinkPort, { limits, inside: withFiles(idle + otherFiles) });
}

/** A command that lets another one open so many files; for root only. Node itself uses all that it may (setrlimit(2)). */
function withFiles(count: number): string[] {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const most = /^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1] ?? 'unlimited';
  if (most === 'unlimited' || Number(most) >= count) return [];
  return ['prlimit', `--nofile=${count}:${count}`];
}

/** The idle sessions, which come and go. */
interface Crowd {
  come(): Promise<void>;
  leave(): Promise<void>;
  /** The most that the server's PSS has grown by when they came, for each of them. */
  bytesEach(): number;
}

/** After they have come or gone: for the garbage of it to be collected. */
const settleMs = 3_000;

function createCrowd(world: World, { port, pid }: Relay, count: number): Crowd {
  const script = join(import.meta.dirname, 'connections', 'holder.ts');
  let holder: Running | undefined;
  let most = 0;
  return {
    async come() {
      const before = treePssBytes(pid);
      const [command = '', ...args] = [...withFiles(count + otherFiles), process.execPath, script];
      holder = start(
        command,
        [...args, String(port), String(count)],
        world.watchLog(world.path('holder-log')),
      );
      world.atEnd(async () => holder?.stop());
      await holder.line(/^holding/);
      await pause(settleMs);
      most = Math.max(most, (treePssBytes(pid) - before) / count);
    },
    async leave() {
      // Ended by our signal it has no code.
      if ((await holder?.stop()) !== null) throw new Error('the idle sessions did not last; see holder-log');
      holder = undefined;
      await pause(settleMs);
    },
    bytesEach: () => most,
  };
}

/** Each round leaves the server as the other's round wants it. */
function contestants(relay: Relay, sink: CountingSink, crowd: Crowd, sizeBytes: number): Contestant[] {
  const each = relayContestant(relay, sink, { sizeBytes, sessions: loadSessions, connections: 'reused' });
  return [
    { ...each, name: 'alone', tidyUp: crowd.come },
    { ...each, name: 'beside idle sessions', tidyUp: crowd.leave },
  ];
}

interface Result {
  idle: number;
  sizeBytes: number;
  bytesEach: number;
  alone: Played;
  beside: Played;
}

function report({ idle, sizeBytes, bytesEach, alone, beside }: Result): BenchReport {
  const kibEach = bytesEach / 1024;
  const [ours, theirs] = [deliveredRate(beside), deliveredRate(alone)];
  const ratio = ours / theirs;
  return {
    rows: [{ bench: 'connections', peer: 'no idle sessions', sizeBytes, unit: 'msg/s', ours, theirs, ratio }],
    text: [
      contestTable(`connections: fresh mail of ${sizeBytes} octets with and without ${idle} idle sessions`, [
        beside,
        alone,
      ]),
      `  each idle session: ${kibEach.toFixed(1)} KiB (growth of the server's PSS; the kernel's socket buffers are not in it)`,
    ].join('\n'),
    targets: [
      atMost(`connections: ${idle} idle sessions, each`, kibEach, { must: maxKibEach, unit: ' KiB' }),
      atLeast('connections: fresh mail beside them, of without', ratio, { must: minShare, unit: ' ×' }),
    ],
  };
}
