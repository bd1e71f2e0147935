/** What a shell offers at Tab, by its own completion; the file is one of those that `posthorn completion` prints. */

import { basename, dirname } from 'node:path';
import { runOk } from '../process.ts';

/** All of them, one a line, some with what they mean; the last word is the one that is begun. */
export async function offered(
  shell: 'bash' | 'zsh' | 'fish',
  file: string,
  words: readonly string[],
): Promise<string> {
  const script = { bash, zsh, fish }[shell](file);
  const bare = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] }[shell];
  const named = shell === 'fish' ? [] : [shell]; // $0, which fish has not
  return (await runOk(shell, [...bare, '-c', script, ...named, ...words])).stdout.toString();
}

const bash = (file: string) => `
source ${file}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _posthorn
printf '%s\\n' "\${COMPREPLY[@]}"`;

/** As compinit loads it, in the place of whose widgets these print. */
const zsh = (file: string) => `
compdef() { }
_files() { print FILES }
_describe() { print -l -- "\${(@P)2}" }
compadd() { print -l -- "\${@:2}" }
fpath=(${dirname(file)} $fpath); autoload -U ${basename(file)}
words=("$@"); CURRENT=$#; ${basename(file)}`;

const fish = (file: string) => `
source ${file}
complete -C (string join ' ' -- $argv)`;
