/** `posthorn serve`: the server, from `posthorn ready` to SIGTERM. */

import { Option } from 'commander';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { type Clock, sleep } from '../util/clock.ts';
import { createLog, type LogLevel, logLevels } from '../util/log.ts';
import { nothingToServe } from './config-check.ts';
import { type CommonOptions, type Context, configOf } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

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
  const { terminal } = context;
  const config = await configOf(context, options);
  if (config.listeners.length === 0) throw nothingToServe(config);
  const stop = terminal.stopSignal();
  // Only this command needs the server, and all that it is made of.
  const { startServer } = await import('../server.ts');
  const log = createLog(options.logLevel);
  const server = await startServer({ config, log, readConfig: () => readAgain(config.file) });
  // The log says what has come of it.
  const ignoreHangups = terminal.onHangup(() => void server.reload().catch(() => undefined));
  terminal.out('posthorn ready\n');
  const failure = await Promise.race([server.failed, stopped(stop)]);
  ignoreHangups();
  await withinStopLimit(server.stop(), context.clock);
  if (failure !== undefined) throw failure;
  return exitCodes.ok;
}

/** The same file as at the start, wherever it was found. */
async function readAgain(file: string): Promise<Config> {
  const config = await loadConfig(file);
  if (config.listeners.length === 0) throw nothingToServe(config);
  return config;
}

/**
 * A stop takes no longer than this. What can be finished is finished before: sessions get 10 s for the message that comes
 * in, commands 5 s, deliveries 10 s, the last goodbyes to receivers 5 s; what does not come to its end is in doubt.
 */
export const stopLimitMs = 40_000;

/**
 * Rejects as the stop does, and where that does not end by itself. The latter is a bug, but nothing that was acknowledged
 * depends on it.
 */
export async function withinStopLimit(stopping: Promise<void>, clock: Clock): Promise<void> {
  const ended = new AbortController();
  const late = sleep(clock, stopLimitMs, ended.signal).then(
    () => {
      const text = `The server did not come to its end within ${stopLimitMs / 1000} s, and was ended. No mail is lost.`;
      throw new CommandError(exitCodes.software, text);
    },
    () => undefined, // it ended in time
  );
  try {
    await Promise.race([stopping, late]);
  } finally {
    ended.abort();
  }
}

function stopped(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
