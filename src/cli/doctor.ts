/**
 * `posthorn doctor`: what is wrong with this server, its DNS and what others see of it, before mail shows it; each finding
 * with its remedy and the record to enter. Prints only: src/doctor/ finds out.
 */

import { InvalidArgumentError } from 'commander';
import type { Section } from '../doctor/finding.ts';
import { carryOver, changesBetween, problemsIn } from '../doctor/watch.ts';
import { sleep } from '../util/clock.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import { type CommandTree, collect } from './define.ts';
import type { DoctorOptions } from './doctor-parts.ts';
import { changeText, reportText } from './doctor-print.ts';
import { duration } from './durations.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface Options extends CommonOptions, DoctorOptions {
  /** In ms; true without an interval. */
  watch?: true | number;
  strict?: boolean;
}

export function addDoctorCommand(tree: CommandTree, context: Context): void {
  tree.run(
    tree
      .add(tree.root, 'doctor', 'say what is wrong with this server and its DNS, and how to mend it')
      .option(
        '--watch [interval]',
        'look again and again, every 5m or as given (1m at least); tell what changes',
        interval,
      )
      .option('--strict', 'warnings count as errors in the exit code')
      .option(
        '--resolver <address>',
        'ask this resolver for what the world sees, instead of ours (may be given several times)',
        collect,
      )
      .option('--time-server <host>', 'compare the clock with this one (may be given several times)', collect)
      .option(
        '--reach <domain>',
        'try the mail servers of this domain, to see whether port 25 is open (may be given several times)',
        collect,
      )
      .option('--name-port <port>', 'port of name servers, for tests', portNumber)
      .option('--json', 'print JSON; with --watch one line for each change'),
    async (options: Options) => (options.watch ? watch(context, options) : lookOnce(context, options)),
  );
}

/** More often, and the tries at our own door would be taken for those of a stranger. */
const leastIntervalMs = 60_000;

function interval(text: string): number {
  const intervalMs = duration(text);
  if (intervalMs >= leastIntervalMs) return intervalMs;
  throw new InvalidArgumentError('That is too often. Give 1m or more.');
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('Give a number from 1 to 65535.');
}

/** Loaded only now: the server's process has no use for it. */
async function examine(context: Context, options: Options, signal?: AbortSignal): Promise<Section[]> {
  const [{ diagnose }, { doctorParts }] = await Promise.all([
    import('../doctor/diagnose.ts'),
    import('./doctor-parts.ts'),
  ]);
  const config = await configOf(context, options, { checkCertificates: false });
  const parts = await doctorParts(config, context, options);
  return diagnose({ ...parts, ...(signal && { signal }) });
}

async function lookOnce(context: Context, options: Options): Promise<ExitCode> {
  const sections = await examine(context, options);
  const exitCode = exitCodeFor(sections, options.strict);
  if (options.json) printJson(context, { status: statusOf(exitCode), counts: countsOf(sections), sections });
  else context.terminal.out(`${reportText(sections).join('\n')}\n`);
  return exitCode;
}

const defaultIntervalMs = 5 * 60_000;

/** Until it is told to stop. The configuration is read anew each time: it may be what was mended. */
async function watch(context: Context, options: Options): Promise<ExitCode> {
  const { terminal, clock } = context;
  const intervalMs = typeof options.watch === 'number' ? options.watch : defaultIntervalMs;
  const stop = terminal.stopSignal();
  let before: Section[] = [];
  for (let isFirst = true; ; isFirst = false) {
    try {
      const sections = carryOver(before, await examine(context, options, stop));
      tell(context, options, { before, sections, isFirst });
      before = sections;
      await sleep(clock, intervalMs, stop);
    } catch (error) {
      if (stop.aborted) return exitCodes.ok;
      throw error;
    }
    if (stop.aborted) return exitCodes.ok;
  }
}

function tell(
  { terminal, clock }: Context,
  { json }: Options,
  { before, sections, isFirst }: { before: Section[]; sections: Section[]; isFirst: boolean },
): void {
  const at = clock.now();
  const changes = changesBetween(before, sections);
  if (json) for (const each of changes) terminal.out(`${JSON.stringify({ at, ...each })}\n`);
  else if (changes.length > 0)
    terminal.out(`${changes.flatMap((each) => changeText(each, at)).join('\n')}\n`);
  else if (isFirst) terminal.out('All is well.\n');
}

function exitCodeFor(sections: readonly Section[], strict = false): ExitCode {
  const problems = problemsIn(sections);
  const isBad = ({ severity }: { severity: string }) =>
    severity === 'error' || (strict && severity === 'warning');
  if (problems.some((each) => isBad(each) && !each.isUnknown)) return exitCodes.unwell;
  return problems.some(({ isUnknown }) => isUnknown) ? exitCodes.tryLater : exitCodes.ok;
}

const statusOf = (exitCode: ExitCode): string =>
  exitCode === exitCodes.unwell ? 'unwell' : exitCode === exitCodes.tryLater ? 'unknown' : 'well';

function countsOf(sections: readonly Section[]): Record<string, number> {
  const problems = problemsIn(sections);
  const count = (wanted: string) => problems.filter(({ severity }) => severity === wanted).length;
  return { errors: count('error'), warnings: count('warning'), notes: count('note') };
}
