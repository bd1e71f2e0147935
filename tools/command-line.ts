/**
 * The command line of a tool of this repository: its options as data, from which arguments are read, what is wrong with
 * them is told, and `--help` is made. The product's own commands are another matter (src/cli/).
 */

import { parseArgs } from 'node:util';

export interface OptionText {
  /** What stands for its value in the help: `N`. Absent: it takes none. */
  value?: string;
  /** A sentence without its full stop. */
  meaning: string;
  /** In words, where it takes a value. */
  otherwise?: string;
  /** Arguments. */
  example: string;
}

export interface Tool<Name extends string> {
  /** `npm run crash`. */
  command: string;
  purpose: string;
  /** What may stand there without dashes; absent: nothing may. */
  words?: { title: string; synopsis: string; known: readonly (readonly [word: string, meaning: string])[] };
  options: Readonly<Record<Name, OptionText>>;
}

/** What is wrong with the arguments, in a sentence for people. */
export class UsageError extends Error {}

/** The exit code for arguments that make no sense (EX_USAGE of sysexits.h). */
const badUsage = 64;

/** Reads the arguments and runs the tool, unless help is asked for or needed. Resolves to the exit code. */
export async function runTool<Name extends string, Options>(
  tool: Tool<Name>,
  args: readonly string[],
  { read, run }: { read: (given: Given<Name>) => Options; run: (options: Options) => Promise<number> },
): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(helpOf(tool));
    return 0;
  }
  let options: Options;
  try {
    options = read(new Given(tool, args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${tool.command}: ${error.message}\nAll that there is: ${tool.command} -- --help`);
    return badUsage;
  }
  return run(options);
}

/** The arguments, read by the names of the options. All methods throw UsageError. */
export class Given<Name extends string> {
  /** What stands there without dashes. */
  readonly words: readonly string[];
  readonly #values = new Map<string, string>();

  constructor(tool: Tool<Name>, args: readonly string[]) {
    const known = new Map<string, OptionText>(Object.entries(tool.options));
    const { tokens, positionals } = parseArgs({
      args: [...args],
      strict: false,
      tokens: true,
      options: Object.fromEntries(
        [...known].map(
          ([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }] as const,
        ),
      ),
    });
    this.words = positionals;
    for (const token of tokens) {
      if (token.kind !== 'option') continue;
      const option = known.get(token.name);
      if (option === undefined) throw new UsageError(unknownOption(token.rawName, [...known.keys()]));
      if (option.value === undefined && token.value !== undefined)
        throw new UsageError(`--${token.name} takes no value, and has "${token.value}"`);
      // Without `strict`, parseArgs() takes an option for the value of the one before.
      const isLacking = token.value === undefined || (!token.inlineValue && token.value.startsWith('-'));
      if (option.value !== undefined && isLacking)
        throw new UsageError(`--${token.name} wants a value, for instance ${option.example}`);
      this.#values.set(token.name, token.value ?? '');
    }
    const [unexpected] = tool.words === undefined ? positionals : [];
    if (unexpected !== undefined)
      throw new UsageError(`"${unexpected}" has no place here: there are only options`);
  }

  has(name: Name): boolean {
    return this.#values.has(name);
  }

  text(name: Name): string | undefined {
    return this.#values.get(name);
  }

  /** A number above 0. */
  number(name: Name): number | undefined {
    return this.#parse(name, 'a number above 0', (number) => Number.isFinite(number) && number > 0);
  }

  /** A whole number above 0. */
  count(name: Name): number | undefined {
    return this.#parse(
      name,
      'a whole number above 0',
      (number) => Number.isSafeInteger(number) && number > 0,
    );
  }

  /** A whole number. */
  whole(name: Name): number | undefined {
    return this.#parse(name, 'a whole number', Number.isSafeInteger);
  }

  #parse(name: Name, what: string, fits: (number: number) => boolean): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = text.trim() === '' ? Number.NaN : Number(text);
    if (!fits(number)) throw new UsageError(`--${name} is ${what}, not "${text}"`);
    return number;
  }
}

function unknownOption(rawName: string, known: readonly string[]): string {
  const name = rawName.replace(/^-+/, '');
  const meant = known.find((each) => name.length > 2 && (each.includes(name) || name.includes(each)));
  return `there is no option ${rawName}${meant === undefined ? '' : `: did you mean --${meant}?`}`;
}

/** For people, at most a line for a word and three for an option. */
export function helpOf<Name extends string>({ command, purpose, words, options }: Tool<Name>): string {
  const listed = Object.entries<OptionText>(options).flatMap(
    ([name, { value, meaning, otherwise = 'off', example }]) => [
      '',
      `  --${name}${value === undefined ? '' : ` ${value}`}`,
      `      ${meaning}.`,
      `      Default: ${otherwise}. Example: ${command} -- ${example}`,
    ],
  );
  return [
    `usage: ${command} -- ${words === undefined ? '' : `${words.synopsis} `}[OPTION …]`,
    '',
    purpose,
    ...(words === undefined ? [] : ['', `${words.title}:`, ...tableOf(words.known)]),
    '',
    'Options:',
    ...listed.slice(1),
  ].join('\n');
}

function tableOf(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([word]) => word.length));
  return rows.map(([word, meaning]) => `  ${word.padEnd(width)}  ${meaning}`);
}
