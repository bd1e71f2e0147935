/** `posthorn config show` and `posthorn config explain`: what is in force, and what a key means. */

import { formatSettings } from '../config/effective.ts';
import { explainKey, findKeys, type KeyExplanation } from '../config/explain.ts';
import { findConfigFile } from '../config/find.ts';
import { readKeyDocs } from '../config/key-docs.ts';
import { loadSettings } from '../config/load.ts';
import { formatKey } from '../config/problem.ts';
import { type CommonOptions, type Context, printJson } from './context.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export async function showSettings(context: Context, options: CommonOptions): Promise<ExitCode> {
  const { env, cwd, out } = context.terminal;
  const file = await findConfigFile({ flag: options.config, env, cwd });
  const settings = await loadSettings(file);
  if (options.json)
    printJson(context, {
      file,
      settings: settings.map(({ path, value, isDefault }) => ({ key: formatKey(path), value, isDefault })),
    });
  else out(`# ${file}\n${formatSettings(settings)}`);
  return exitCodes.ok;
}

export async function explainKeys(
  context: Context,
  options: CommonOptions,
  asked: string,
): Promise<ExitCode> {
  const { found, nearest } = findKeys(asked);
  if (found.length === 0) {
    const remedy = nearest === undefined ? 'posthorn config show has them all.' : `Did you mean ${nearest}?`;
    throw new CommandError(exitCodes.noInput, `there is no key ${asked}. ${remedy}`);
  }
  const docs = await readKeyDocs();
  const explanations = found.map((key) => explainKey(key, docs));
  if (options.json) printJson(context, explanations);
  else context.terminal.out(explanations.map(wordsOf).join('\n'));
  return exitCodes.ok;
}

function wordsOf({
  key,
  table,
  kind,
  unit,
  isRequired,
  default: preset,
  example,
  text,
}: KeyExplanation): string {
  const lines = [
    key,
    `  ${text}`,
    '',
    `  where    ${table === '' ? 'at the top of the file, before the first table' : table}`,
    `  kind     ${kind}`,
    ...(unit === undefined ? [] : [`  unit     ${unit}`]),
    `  default  ${isRequired ? 'none: it must be there' : (preset ?? 'none')}`,
    `  example  ${example}`,
  ];
  return `${lines.join('\n')}\n`;
}
