/** Manual pages, made from the commands' own help: one for the program, one for each of its commands. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ownVersion } from '../util/own-version.ts';
import { type CommandFacts, factsOf } from './command-facts.ts';
import type { Context } from './context.ts';
import type { CommandTree } from './define.ts';
import { exitCodes } from './exit-codes.ts';

export function addManualCommand(tree: CommandTree, { terminal }: Context): void {
  tree.run(
    tree.add(tree.root, 'manual <directory>', 'write our manual pages there, for man(1)'),
    async (_options: object, directory: string) => {
      const to = resolve(terminal.cwd, directory);
      await mkdir(to, { recursive: true });
      const pages = manualPages(factsOf(tree.root), await ownVersion());
      for (const [name, text] of pages) await writeFile(join(to, name), text);
      terminal.out(`${pages.size} pages in ${to}\n`);
      return exitCodes.ok;
    },
  );
}

/** By file name. */
export function manualPages(root: CommandFacts, version: string): Map<string, string> {
  const pages = new Map([['posthorn.1', page(root, version)]]);
  for (const command of root.commands) pages.set(`${command.path.join('-')}.1`, page(command, version));
  return pages;
}

function page(command: CommandFacts, version: string): string {
  const isProgram = command.path.length === 1;
  const name = command.path.join('-');
  const names = [...(isProgram ? [] : ['posthorn']), ...(isProgram ? command.commands : [])].map((each) =>
    typeof each === 'string' ? each : each.path.join('-'),
  );
  return [
    `.TH ${name.toUpperCase()} 1 "" ${quoted(`posthorn ${version}`)} "Posthorn"`,
    '.SH NAME',
    `${escaped(name)} \\- ${escaped(command.description)}`,
    '.SH SYNOPSIS',
    ...synopsesOf(command),
    ...(isProgram ? ['.SH COMMANDS', ...command.commands.flatMap(entryOf)] : sectionsOf(command)),
    ...(isProgram ? optionsOf(command) : []),
    '.SH FILES',
    ...term(
      '/etc/posthorn/posthorn.toml',
      'the configuration, unless ./posthorn.toml, $POSTHORN_CONFIG or --config names another',
    ),
    '.SH EXIT STATUS',
    '0: done. From 64 on as in sysexits.h: 64 usage, 65 data, 66 no such thing, 69 unavailable, 75 try again, 77 not permitted, 78 configuration.',
    '.SH SEE ALSO',
    names.map((each) => `${escaped(each)}(1)`).join(', '),
    '',
  ].join('\n');
}

/** With what stands below it, to the end. */
const sectionsOf = (command: CommandFacts): string[] =>
  command.commands.length === 0
    ? optionsOf(command)
    : [
        ...optionsOf(command),
        ...command.commands.flatMap((below) => [
          `.SH ${quoted(below.path.slice(1).join(' ').toUpperCase())}`,
          ...synopsesOf(below),
          '.PP',
          `${escaped(below.description)}.`,
          ...optionTerms(below),
          ...below.commands.flatMap(entryOf),
        ]),
      ];

function synopsesOf({ path, takes, options, commands }: CommandFacts): string[] {
  const what = [
    ...(options.length > 0 ? ['[OPTION...]'] : []),
    ...(commands.length > 0 ? ['COMMAND'] : []),
    ...(takes === '' ? [] : [takes]),
  ];
  return [`.B ${escaped(path.join(' '))}`, escaped(what.join(' '))];
}

const entryOf = ({ path, takes, description }: CommandFacts): string[] =>
  term(`${path.slice(1).join(' ')}${takes === '' ? '' : ` ${takes}`}`, description);

const optionsOf = (command: CommandFacts): string[] =>
  command.options.length === 0 ? [] : ['.SH OPTIONS', ...optionTerms(command)];

const optionTerms = ({ options }: CommandFacts): string[] =>
  options.flatMap(({ flags, help }) => term(flags, help));

const term = (name: string, text: string): string[] => ['.TP', `.B ${escaped(name)}`, escaped(text)];

/** As roff reads it: a hyphen is a minus sign, and no line begins with a request by accident. */
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(['.])/gm, '\\&$1');

const quoted = (text: string): string => `"${escaped(text).replaceAll('"', '\\(dq')}"`;
