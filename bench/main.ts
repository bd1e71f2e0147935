/**
 * `npm run bench -- NAME … | all`: measures, and compares what it measured with what is asked of it. Wants root and
 * Debian, as `npm run e2e` does, and a machine that does nothing else meanwhile. For people on standard output; with
 * `--json` one array of rows there, and the rest on standard error.
 */

import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, release, tmpdir } from 'node:os';
import { UnavailableError } from '../e2e/packages.ts';
import { run } from '../e2e/process.ts';
import { type World, withWorld } from '../e2e/world.ts';
import { runTool } from '../tools/command-line.ts';
import { backlogBench } from './backlog.ts';
import type { Bench, BenchContext, BenchReport } from './bench.ts';
import { type CommandLine, parseCommandLine, toolFor } from './command-line.ts';
import { connectionsBench } from './connections.ts';
import { inboundBench } from './inbound.ts';
import { largeBench } from './large.ts';
import { latencyBench } from './latency.ts';
import { localBench } from './local.ts';
import { peers } from './peers/peers.ts';
import { buildProduct } from './product.ts';
import { relayBench, relaySessionsBench } from './relay.ts';
import { signedBench } from './signed.ts';
import { slowSyncBench } from './slow-sync.ts';
import { targetTable } from './targets.ts';

const benches: readonly Bench[] = [
  relayBench,
  relaySessionsBench,
  localBench,
  latencyBench,
  signedBench,
  inboundBench,
  slowSyncBench,
  backlogBench,
  largeBench,
  connectionsBench,
];

/** statfs(2): what is written there is not written to any disk, so that fsync costs nothing. */
const tmpfs = 0x0102_1994;

const log = (line: string): void => console.error(line);

/** The exit code: 1 if a benchmark came to nothing that is worth having. A target that is not met is a result too. */
async function main({ chosen, options }: CommandLine): Promise<number> {
  const tell = options.json ? log : (text: string) => console.log(text);
  tell(await machine());
  const reports = await withWorld(async (world) => {
    const program = await buildProduct(world);
    return runAll(chosen, { options, program, log }, tell);
  });
  const targets = reports.flatMap((report) => report.targets ?? []);
  if (targets.length > 0) tell(targetTable(targets));
  const rows = reports.flatMap((report) => report.rows);
  if (options.json) console.log(JSON.stringify(rows, null, 2));
  const failed = reports.flatMap((report) => report.failed ?? []);
  for (const each of failed) log(`FAILED: ${each}`);
  return failed.length > 0 ? 1 : 0;
}

/** One after the other, each in a world of its own; one that cannot be had here is named, and the others go on. */
async function runAll(
  chosen: readonly Bench[],
  context: Omit<BenchContext, 'world'>,
  tell: (text: string) => void,
): Promise<BenchReport[]> {
  const reports: BenchReport[] = [];
  for (const bench of chosen) {
    log(`\n${bench.name}: ${bench.description}`);
    const play = async (world: World) => {
      await keepFoldersApart(world);
      return bench.run({ ...context, world });
    };
    const report = await withWorld(play, { kept: !bench.isLarge }).catch((error: unknown) =>
      brokenOff(bench, error),
    );
    if (report.text !== '') tell(report.text);
    reports.push(report);
  }
  return reports;
}

/**
 * ext4 puts the folders of one parent side by side, and looks at each file that was lately removed nearby when it makes a new
 * one: one server would pay for what another removes. With this attribute each gets a region of its own (chattr(1)); other
 * file systems do not know it. For the same reason a world's files stay until all is measured, unless they are many GiB.
 */
async function keepFoldersApart(world: World): Promise<void> {
  await run('chattr', ['+T', world.path()]);
}

/** What cannot be had here is said, with what would bring it; anything else that went wrong is a failure. */
function brokenOff({ name }: Bench, error: unknown): BenchReport {
  if (error instanceof UnavailableError) {
    const sources = peers.all.map((peer) => `${peer.name}: ${peer.comesFrom}`);
    log(`skip ${name}: ${error.message}\n  The peers come from:\n    ${sources.join('\n    ')}`);
    return { rows: [], text: '' };
  }
  return { rows: [], text: '', failed: [`${name}: ${error instanceof Error ? error.stack : error}`] };
}

async function machine(): Promise<string> {
  const processor = cpus()[0]?.model ?? 'unknown processor';
  const { type } = await statfs(tmpdir());
  const disk = type === tmpfs ? 'in memory: durable writes cost nothing there, set TMPDIR' : 'on a disk';
  return `${availableParallelism()} × ${processor}, Linux ${release()}, Node ${process.version}; ${tmpdir()} is ${disk}`;
}

// A peer's output may still be open; by now there is nothing left to wait for.
process.exit(
  await runTool(toolFor(benches), process.argv.slice(2), {
    read: (given) => parseCommandLine(given, benches),
    run: main,
  }),
);
