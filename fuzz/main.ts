/**
 * `npm run fuzz -- [--minutes N] [--seed S] [--target NAME [--input BASE64]] [--json]`: throws random, mutated and
 * nearly right octets at everything that reads what strangers say. Exit code 1 where something was found, with the
 * input as a test case; 64 for arguments that make no sense.
 */

import { randomInt } from 'node:crypto';
import { runTool } from '../tools/command-line.ts';
import { judge, type TargetReport } from './engine.ts';
import { describeFinding, type Finding, findingJson } from './finding.ts';
import { type Options, readOptions, toolFor } from './options.ts';
import { fuzzRound } from './round.ts';
import { targets } from './targets/index.ts';
import type { Target } from './targets/target.ts';

async function main(options: Options): Promise<number> {
  const chosen = targets.filter(({ name }) => options.targets.includes(name));
  return options.input === undefined ? round(chosen, options) : again(chosen, options.input);
}

/** Judges one input, as a finding's last line says. */
async function again(chosen: readonly Target[], input: Buffer): Promise<number> {
  const judged = await Promise.all(chosen.map((target) => judge(target, input)));
  const findings = judged.filter((finding) => finding !== undefined);
  for (const finding of findings) console.log(describeFinding(finding));
  if (findings.length === 0) console.log('nothing found');
  return findings.length === 0 ? 0 : 1;
}

async function round(chosen: readonly Target[], options: Options): Promise<number> {
  const { seed, milliseconds, json } = options;
  console.log(`seed ${seed}, ${milliseconds / 60_000} min, ${chosen.length} targets`);
  const reports = await fuzzRound(chosen, { seed, milliseconds, onReport: printReport });
  const findings = reports.flatMap((report) => report.findings);
  const executions = reports.reduce((sum, report) => sum + report.executions, 0);
  console.log(`${executions} executions, ${findings.length} findings`);
  if (json) console.log(JSON.stringify(summary(options, reports, findings)));
  return findings.length === 0 ? 0 : 1;
}

function printReport({ target, executions, perSecond, runs, heapGrowthBytes, findings }: TargetReport): void {
  const heap = `${(heapGrowthBytes / 2 ** 20).toFixed(1)} MiB`;
  console.log(
    `${target.padEnd(20)} ${String(executions).padStart(9)} executions ${String(perSecond).padStart(7)}/s` +
      `  long runs ${runs.padStart(9)}  heap ${heap.padStart(9)}  findings ${findings.length}`,
  );
  for (const finding of findings) console.log(describeFinding(finding));
}

function summary(
  { seed, milliseconds }: Options,
  reports: readonly TargetReport[],
  findings: readonly Finding[],
) {
  return {
    seed,
    minutes: milliseconds / 60_000,
    executions: reports.reduce((sum, report) => sum + report.executions, 0),
    findings: findings.map(findingJson),
    targets: reports.map((report) => ({ ...report, findings: report.findings.length })),
  };
}

const names = targets.map(({ name }) => name);
process.exitCode = await runTool(toolFor(names), process.argv.slice(2), {
  read: (given) => readOptions(given, { freshSeed: randomInt(2 ** 31), targets: names }),
  run: main,
});
