/** `posthorn serve`: the server, from `posthorn ready` to SIGTERM. */

import { Option } from 'commander';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { ownProgram } from '../setup/machine.ts';
import { createLog, type LogLevel, logLevels } from '../util/log.ts';
import { nothingToServe } from './config-check.ts';
import { type CommonOptions, type Context, configOf } from './context.ts';
import type { CommandTree } from './define.ts';
import { explain } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { demandOwner } from './root-check.ts';
import { Serving } from './serving.ts';

interface ServeOptions extends CommonOptions {
  logLevel: LogLevel;
}

export function addServeCommand(tree: CommandTree, context: Context): void {
  tree.run(
    tree
      .add(tree.root, 'serve', 'run the server until SIGTERM or Ctrl-C')
      .addOption(new Option('--log-level <level>', 'what goes to stderr').choices(logLevels).default('info')),
    (options: ServeOptions) => serve(context, options),
  );
}

async function serve(context: Context, options: ServeOptions): Promise<ExitCode> {
  const { origin } = context.terminal;
  try {
    return await serveUntilStopped(context, options);
  } catch (error) {
    await origin?.predecessor?.failed(explain(error).text);
    throw error;
  }
}

async function serveUntilStopped(context: Context, options: ServeOptions): Promise<ExitCode> {
  const { terminal, clock } = context;
  const config = await configOf(context, options);
  if (config.listeners.length === 0) throw nothingToServe(config);
  await demandOwner({
    dataDir: config.dataDir,
    program: ownProgram,
    words: options.config === undefined ? [] : ['--config', options.config],
    userId: process.getuid?.(),
  });
  const stop = terminal.stopSignal();
  await terminal.origin?.predecessor?.checked();
  // Only this command needs the server, and all that it is made of.
  const { startServer } = await import('../server.ts');
  const log = createLog(options.logLevel);
  const serving = await Serving.start({
    ...{ terminal, config, log, clock, startServer },
    readConfig: () => readAgain(config.file),
  });
  // The log says what has come of it.
  const ignore = [
    terminal.onSignal('SIGHUP', () => void serving.reload().catch(() => undefined)),
    terminal.onSignal('SIGUSR2', () => void serving.handOver().catch(() => undefined)),
  ];
  terminal.out('posthorn ready\n');
  await serving.untilStopped(stop);
  for (const stopListening of ignore) stopListening();
  return exitCodes.ok;
}

/** The same file as at the start, wherever it was found. */
async function readAgain(file: string): Promise<Config> {
  const config = await loadConfig(file);
  if (config.listeners.length === 0) throw nothingToServe(config);
  return config;
}
