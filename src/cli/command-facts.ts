/** What the commands are, as data, from their own declarations: what completions and manual pages are made of. */

import type { Command } from 'commander';

export interface OptionFacts {
  /** `--to <address>`, as help shows it. */
  flags: string;
  /** `--to`; those that have no long form by their short one. */
  name: string;
  description: string;
  takesValue: boolean;
}

export interface CommandFacts {
  /** From the program's own name on: `['posthorn', 'account', 'add']`. */
  path: readonly string[];
  description: string;
  /** `<address> [pattern...]`; '' where it takes none. */
  takes: string;
  options: readonly OptionFacts[];
  commands: readonly CommandFacts[];
}

export function factsOf(command: Command, above: readonly string[] = []): CommandFacts {
  const path = [...above, command.name()];
  return {
    path,
    description: command.description(),
    takes: command.registeredArguments.map(argumentText).join(' '),
    options: command.options
      .filter(({ hidden }) => !hidden)
      .map(({ flags, long, short, description, required, optional }) => ({
        flags,
        name: long ?? short ?? flags,
        description,
        takesValue: required || optional,
      })),
    commands: command.commands.map((below) => factsOf(below, path)),
  };
}

const argumentText = (argument: Command['registeredArguments'][number]): string => {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
};

/** The command and all below it. */
export const allBelow = (facts: CommandFacts): CommandFacts[] => [facts, ...facts.commands.flatMap(allBelow)];
