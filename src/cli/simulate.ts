/** `posthorn simulate`: the schedule of the server under a virtual clock, against receivers that behave as a file says. */

import { createReadStream } from 'node:fs';
import { access, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { ConfigError } from '../config/problem.ts';
import { plural, spanOf } from '../dossier/words.ts';
import { RecordingError, type Replay, replay } from '../queue/recording.ts';
import { plot } from '../simulation/plot.ts';
import type { Scenario } from '../simulation/scenario.ts';
import { loadScenario } from '../simulation/scenario-file.ts';
import { Simulation } from '../simulation/simulate.ts';
import { formatSummary, summaryOf } from '../simulation/summary.ts';
import { type CommonOptions, type Context, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface SimulateOptions extends CommonOptions {
  scenario?: string;
  replay?: string;
  svg?: string;
}

/** Every run begins at the same moment, or it would not be the same run. */
const startAt = Date.UTC(2026, 0, 5, 12);

/** Between two of these a key press is heard, and progress told. */
const stepsAtOnce = 20_000;
const progressMs = 1000;

export function addSimulateCommand(tree: CommandTree, context: Context): void {
  tree.run(
    tree
      .add(
        tree.root,
        'simulate',
        'play what would happen to the queue if receivers behaved so; nothing is sent',
      )
      .option('--scenario <file>', 'receivers, their mail and their moods, in TOML')
      .option('--replay <file>', 'instead: repeat what [delivery] scheduleTrace took down, and compare')
      .option('--svg <file>', 'draw how much waits when')
      .option('--json', 'print JSON'),
    (options: SimulateOptions) => simulate(context, options),
  );
}

function simulate(context: Context, options: SimulateOptions): Promise<ExitCode> {
  const { scenario, replay: recording } = options;
  if (scenario !== undefined && recording === undefined) return simulateScenario(context, options, scenario);
  if (recording !== undefined && scenario === undefined) return replayRecording(context, options, recording);
  const what = scenario === undefined ? 'simulate what? Use' : 'one at a time: use either';
  throw new CommandError(exitCodes.usage, `${what} --scenario FILE or --replay FILE.`);
}

async function simulateScenario(context: Context, options: SimulateOptions, file: string): Promise<ExitCode> {
  const simulation = new Simulation(await readScenario(file), startAt);
  await playAll(context, simulation);
  const summary = summaryOf(simulation);
  if (options.svg !== undefined)
    await writeFile(options.svg, plot(simulation.tallies, startAt, simulation.now));
  if (options.json) printJson(context, summary);
  else context.terminal.out(formatSummary(summary));
  return exitCodes.ok;
}

/** A scenario is no configuration: what is wrong with it is told in the same words, but by another exit code. */
async function readScenario(file: string): Promise<Scenario> {
  await access(file);
  try {
    return await loadScenario(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(exitCodes.badData, `cannot use the scenario:\n${error.message}`);
  }
}

async function playAll({ terminal, clock }: Context, simulation: Simulation): Promise<void> {
  let toldAt = clock.now();
  simulation.begin();
  while (simulation.play(stepsAtOnce)) {
    await new Promise(setImmediate);
    if (clock.now() - toldAt < progressMs) continue;
    toldAt = clock.now();
    const { now, waiting } = simulation;
    terminal.err(`after ${spanOf(now - startAt)}: ${plural(waiting, 'message')} waiting\n`);
  }
  simulation.end();
}

async function replayRecording(context: Context, options: SimulateOptions, file: string): Promise<ExitCode> {
  const result = await readRecording(file);
  if (options.json) printJson(context, result);
  else context.terminal.out(formatReplay(result));
  return result.difference === undefined ? exitCodes.ok : exitCodes.differs;
}

async function readRecording(file: string): Promise<Replay> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  try {
    return await replay(lines);
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    throw new CommandError(exitCodes.badData, `${file} is no recording of the schedule: ${error.message}.`);
  }
}

function formatReplay({ steps, difference, isCut }: Replay): string {
  if (difference === undefined) {
    const end = isCut ? ' The last line is cut, and was left out.' : '';
    return `${plural(steps, 'step')}: the same commands each time.${end}\n`;
  }
  const { line, recorded, replayed } = difference;
  return `Line ${line} goes another way now.\nthen: ${JSON.stringify(recorded)}\nnow:  ${JSON.stringify(replayed)}\n`;
}
