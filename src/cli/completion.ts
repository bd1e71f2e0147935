/** `posthorn completion`: what a shell offers when Tab is pressed, made from the commands' own declarations. */

import { Argument } from 'commander';
import { allBelow, type CommandFacts, factsOf } from './command-facts.ts';
import type { Context } from './context.ts';
import type { CommandTree } from './define.ts';
import { exitCodes } from './exit-codes.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

export function addCompletionCommand(tree: CommandTree, { terminal }: Context): void {
  tree.run(
    tree
      .add(tree.root, 'completion', 'print what a shell needs to complete our commands')
      .addArgument(new Argument('<shell>', 'whose completion').choices(shells))
      .addHelpText(
        'after',
        '\nbash: posthorn completion bash > /etc/bash_completion.d/posthorn\n' +
          'zsh:  posthorn completion zsh > /usr/local/share/zsh/site-functions/_posthorn\n' +
          'fish: posthorn completion fish > ~/.config/fish/completions/posthorn.fish',
      ),
    async (_options: object, shell: Shell) => {
      terminal.out(completionFor(shell, factsOf(tree.root)));
      return exitCodes.ok;
    },
  );
}

export function completionFor(shell: Shell, root: CommandFacts): string {
  const commands = allBelow(root);
  if (shell === 'bash') return bash(commands);
  return shell === 'zsh' ? zsh(commands) : fish(commands);
}

/** ` account add`: what stands behind the program's name; '' for the program itself. */
const placeOf = ({ path }: CommandFacts): string =>
  path
    .slice(1)
    .map((word) => ` ${word}`)
    .join('');

const wordsOf = ({ commands, options, choices = [] }: CommandFacts): string[] => [
  ...commands.map(({ path }) => path.at(-1) ?? ''),
  ...choices,
  ...options.map(({ name }) => name),
];

/** Its argument may be the name of a file, for all that is known of it. */
const takesAnything = ({ takes, choices }: CommandFacts): boolean => takes !== '' && choices === undefined;

/** For `case "$place $previous"`: what follows an option that takes a value, be it one of a few or the name of a file. */
function valueCases(
  commands: readonly CommandFacts[],
  oneOf: (choices: readonly string[]) => string,
  any: string,
): string {
  const cases = commands.flatMap((command) =>
    command.options
      .filter(({ takesValue }) => takesValue)
      .map(({ name, choices }) => {
        const pattern = quoted(`${placeOf(command)} ${name}`);
        return `    ${pattern}) ${choices === undefined ? any : oneOf(choices)} ;;`;
      }),
  );
  return cases.join('\n');
}

/** For single quotes of any shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Where the words before the cursor have led to: the longest chain of commands among them. */
const findPlace = (commands: readonly CommandFacts[], word: string): string =>
  [
    `case "$place $${word}" in`,
    ...commands.slice(1).map((command) => `        ${quoted(placeOf(command))}) ;;`),
    '        *) continue ;;',
    '      esac',
    `      place="$place $${word}"`,
  ].join('\n');

function bash(commands: readonly CommandFacts[]): string {
  return `# Completion of posthorn for bash
_posthorn() {
  local place='' word words previous="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
      ${findPlace(commands, 'word')}
  done
  case "$place" in
${commands.map((command) => `    ${quoted(placeOf(command))}) words=${quoted(wordsOf(command).join(' '))} ;;`).join('\n')}
  esac
  case "$place $previous" in
${valueCases(commands, (choices) => `words=${quoted(choices.join(' '))}`, 'COMPREPLY=(); return')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _posthorn posthorn
`;
}

function zsh(commands: readonly CommandFacts[]): string {
  const described = (command: CommandFacts): string =>
    [
      ...command.commands.map(({ path, description }) => `${path.at(-1)}:${description}`),
      ...(command.choices ?? []),
      ...command.options.map(({ name, description }) => `${name}:${description}`),
    ]
      .map(quoted)
      .join(' ');
  return `#compdef posthorn
# Completion of posthorn for zsh
_posthorn() {
  local place='' word previous="\${words[CURRENT-1]}"
  local -a entries
  for word in "\${(@)words[2,CURRENT-1]}"; do
      ${findPlace(commands, 'word')}
  done
  case "$place $previous" in
${valueCases(commands, (choices) => `compadd -- ${choices.map(quoted).join(' ')}; return`, '_files; return')}
  esac
  case "$place" in
${commands.map((command) => `    ${quoted(placeOf(command))}) entries=(${described(command)}) ;;`).join('\n')}
  esac
  _describe posthorn entries
  case "$place" in
    ${commands
      .filter(takesAnything)
      .map((command) => quoted(placeOf(command)))
      .join(' | ')}) _files ;;
  esac
}
# Loaded by compinit, all of this is the function at its first call; read by a shell, it only says what it is for.
if [ "$funcstack[1]" = _posthorn ]; then _posthorn "$@"; else compdef _posthorn posthorn; fi
`;
}

function fish(commands: readonly CommandFacts[]): string {
  const lines = commands.flatMap((command) => {
    const at = `-n ${quoted(`__posthorn_at '${placeOf(command)}'`.replaceAll("'", '"'))}`;
    return [
      ...(takesAnything(command) ? [] : [`complete -c posthorn ${at} -f`]),
      ...command.commands.map(
        ({ path, description }) =>
          `complete -c posthorn ${at} -a ${path.at(-1)} -d ${fishQuoted(description)}`,
      ),
      ...(command.choices ?? []).map((choice) => `complete -c posthorn ${at} -a ${choice}`),
      ...command.options.map(
        ({ name, description, takesValue, choices }) =>
          `complete -c posthorn ${at} ${name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`}` +
          `${takesValue ? ' -r' : ''}${choices ? ` -f -a ${fishQuoted(choices.join(' '))}` : ''} -d ${fishQuoted(description)}`,
      ),
    ];
  });
  return `# Completion of posthorn for fish
function __posthorn_at
  set -l place ''
  for word in (commandline -opc)[2..]
    switch "$place $word"
      case ${commands
        .slice(1)
        .map((command) => quoted(placeOf(command)))
        .join(' ')}
        set place "$place $word"
    end
  end
  test "$place" = "$argv[1]"
end
${lines.join('\n')}
`;
}

/** Fish knows \\' within single quotes. */
const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
