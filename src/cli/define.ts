/** How commands are put on Commander: an action answers with its exit code, and knows nothing of Commander. */

import { Command } from 'commander';
import type { CommonOptions } from './context.ts';

/** Takes the options and then the arguments, as the command declares them. */
export type Action<Options, Arguments extends unknown[]> = (
  options: Options & CommonOptions,
  ...values: Arguments
) => Promise<number>;

/** Collects the exit code of the one action that runs. */
export class CommandTree {
  readonly root: Command;
  exitCode = 0;

  constructor() {
    this.root = new Command('posthorn');
  }

  /** A command below `parent`; `usage` is its name with its arguments: `add <address>`. */
  add(parent: Command, usage: string, description: string, options: { isDefault?: boolean } = {}): Command {
    return parent
      .command(usage, options)
      .description(description)
      .option(
        '--config <file>',
        'configuration file (default: $POSTHORN_CONFIG, ./posthorn.toml, /etc/posthorn/posthorn.toml)',
      );
  }

  run<Options, Arguments extends unknown[]>(command: Command, action: Action<Options, Arguments>): Command {
    return command.action(async (...parameters: unknown[]) => {
      const own = parameters.at(-1);
      if (!(own instanceof Command)) throw new TypeError('Commander passes the command last');
      // The options and arguments that the command declared are those that its action takes: both stand side by side.
      const values = own.processedArgs as Arguments;
      this.exitCode = await action(own.optsWithGlobals<Options & CommonOptions>(), ...values);
    });
  }
}

/** For options that may be given several times. */
export const collect = (value: string, values: string[] = []): string[] => [...values, value];
