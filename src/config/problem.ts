/**
 * What is wrong with a configuration, as data: where, what, and what to do about it. All problems of a file travel
 * together in one ConfigError, so that nobody has to fix a file one message at a time.
 */

/** Where a value stands in the file: `['listener', 2, 'port']`. */
export type KeyPath = readonly (string | number)[];

export interface Problem {
  file: string;
  /** From 1; absent where no line is to blame (a file that does not exist). */
  line?: number;
  /** As people write it: `listener[2].port`; '' for the file as a whole. */
  key: string;
  /** What is wrong: completes "listener[2].port: …". */
  what: string;
  /** What to do about it: a sentence. */
  remedy: string;
}

/** A configuration that cannot be used. The message lists every problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];
  /** There is no such file. */
  readonly isAbsent: boolean;

  constructor(problems: readonly Problem[], { isAbsent = false }: { isAbsent?: boolean } = {}) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
    this.isAbsent = isAbsent;
  }
}

/** `['listener', 2, 'port']` → `listener[2].port`; lists are counted from 1, as people count. */
export function formatKey(path: KeyPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part + 1}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** `posthorn.toml:12: listener[2].port: 70000 is not a port` and, indented below, the remedy. */
function formatProblem({ file, line, key, what, remedy }: Problem): string {
  const where = line === undefined ? file : `${file}:${line}`;
  return `${where}: ${key === '' ? '' : `${key}: `}${what}\n    ${remedy.replaceAll('\n', '\n    ')}`;
}
