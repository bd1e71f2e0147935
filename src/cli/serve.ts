/** `posthorn serve`: the server, from `posthorn ready` to SIGTERM. */

import { Option } from 'commander';
import { createLog, type LogLevel, logLevels } from '../util/log.ts';
import { nothingToServe } from './config-check.ts';
import { type CommonOptions, type Context, configOf } from './context.ts';
import type { CommandTree } from './define.ts';
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
  const server = await startServer({ config, log: createLog(options.logLevel) });
  terminal.out('posthorn ready\n');
  const failure = await Promise.race([server.failed, stopped(stop)]);
  await server.stop();
  if (failure !== undefined) throw failure;
  return exitCodes.ok;
}

function stopped(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
