/** What the commands are, as data, from their own declarations: what completions and manual pages are made of. */

import type { Command } from 'commander';

export interface OptionFacts {
  /** `--to <address>`, as help shows it. */
  flags: string;
  /** `--to`; those that have no long form by their short one. */
  name: string;
  description: string;
  /** The same, with what it can be, and what it is where it is not given. */
  help: string;
  takesValue: boolean;
  /** All values that it takes; absent where there is no end of them. */
  choices?: readonly string[];
}

export interface CommandFacts {
  /** From the program's own name on: `['posthorn', 'account', 'add']`. */
  path: readonly string[];
  description: string;
  /** `<address> [pattern...]`; '' where it takes none. */
  takes: string;
  /** What its first argument can be, where that has an end. */
  choices?: readonly string[];
  options: readonly OptionFacts[];
  commands: readonly CommandFacts[];
}

export function factsOf(command: Command, above: readonly string[] = []): CommandFacts {
  const path = [...above, command.name()];
  const help = command.createHelp();
  return {
    path,
    description: command.description(),
    ...choicesOf(command.registeredArguments[0]?.argChoices),
    takes: command.registeredArguments.map(argumentText).join(' '),
    options: command.options
      .filter(({ hidden }) => !hidden)
      .map((option) => ({
        flags: option.flags,
        name: option.long ?? option.short ?? option.flags,
        description: option.description,
        help: help.optionDescription(option),
        takesValue: option.required || option.optional,
        ...choicesOf(option.argChoices ?? /<(\w+(?:\|\w+)+)>/.exec(option.flags)?.[1]?.split('|')),
      })),
    commands: command.commands.map((below) => factsOf(below, path)),
  };
}

const choicesOf = (choices: readonly string[] | undefined) => choices && { choices };

const argumentText = (argument: Command['registeredArguments'][number]): string => {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
};

/** The command and all below it. */
export const allBelow = (facts: CommandFacts): CommandFacts[] => [facts, ...facts.commands.flatMap(allBelow)];
