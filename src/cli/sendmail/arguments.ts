/** The command line of sendmail, as programs have called it for forty years. Pure. */

export interface SendmailArguments {
  mode: 'deliver' | 'queue' | 'aliases' | 'nothing';
  recipients: string[];
  /** -t: and those of To, Cc and Bcc. */
  fromHeader: boolean;
  /** -i, -oi: a line with a dot alone is text. */
  ignoreDots: boolean;
  /** -f, -r. */
  from?: string;
  /** -F. */
  fullName?: string;
  /** -C: our configuration file. */
  config?: string;
  verbose: boolean;
}

/** What cannot be done; a sentence for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** With a value, joined or as the next word, of which nothing follows here. */
const ignoredWithValue = new Set(['B', 'N', 'R', 'V', 'O', 'h', 'L', 'M', 'p', 'X', 'D']);
/** Without. */
const ignored = new Set(['n', 'm', 'G', 'U', 'e', 'E', 's', 'x', 'J']);

const modes: Record<string, SendmailArguments['mode']> = { m: 'deliver', p: 'queue', i: 'aliases' };

const refusedModes: Record<string, string> = {
  s: 'SMTP on standard input is not spoken here. Connect to a port of the server: 25 or 587.',
  d: 'Posthorn is started by "posthorn serve".',
  D: 'Posthorn is started by "posthorn serve".',
  v: 'Addresses are looked at by "posthorn check ADDRESS".',
  t: 'There are no rules to test. Addresses are looked at by "posthorn check ADDRESS".',
  h: 'There is no persistent host status. See "posthorn receivers list".',
  H: 'There is no persistent host status. See "posthorn receivers list".',
};

/** `args` without the program's name. Throws a UsageError. */
export function parseArguments(args: readonly string[]): SendmailArguments {
  const parsed: SendmailArguments = {
    mode: 'deliver',
    recipients: [],
    fromHeader: false,
    ignoreDots: false,
    verbose: false,
  };
  let at = 0;
  const next = () => args[at++];
  for (let word = next(); word !== undefined; word = next()) {
    if (word === '--') return { ...parsed, recipients: [...parsed.recipients, ...args.slice(at)] };
    if (!word.startsWith('-') || word === '-') parsed.recipients.push(word);
    else readOption(parsed, word, next);
  }
  return parsed;
}

function readOption(parsed: SendmailArguments, word: string, next: () => string | undefined): void {
  if (word.startsWith('--')) throw noOption(word.slice(0, 40));
  const [letter, rest] = [word[1] ?? '', word.slice(2)];
  const value = () => {
    const given = rest === '' ? next() : rest;
    if (given === undefined) throw new UsageError(`-${letter} wants a value.`);
    return given;
  };
  if (letter === 'f' || letter === 'r') parsed.from = value();
  else if (letter === 'F') parsed.fullName = value();
  else if (letter === 'C') parsed.config = value();
  else if (letter === 'o') readLongAgo(parsed, rest === '' ? (next() ?? '') : rest);
  else if (letter === 'b') readMode(parsed, rest);
  else if (letter === 'q') parsed.mode = 'nothing';
  else if (ignoredWithValue.has(letter)) value();
  else readFlags(parsed, word.slice(1));
}

/** Flags may stand together: `-ti`. Those after `e` are its value: `-em`. */
function readFlags(parsed: SendmailArguments, letters: string): void {
  for (const letter of letters) {
    if (letter === 't') parsed.fromHeader = true;
    else if (letter === 'i') parsed.ignoreDots = true;
    else if (letter === 'v') parsed.verbose = true;
    else if (!ignored.has(letter)) throw noOption(`-${letter}`);
    if (letter === 'e') return;
  }
}

const noOption = (word: string) =>
  new UsageError(
    `There is no option ${word}. What there is: -t -i -f -F -r -bm -bp -N -R -V -O -o -v -C; ` +
      'what they mean: posthorn help sendmail.',
  );

/** `-oi`, and what else was once set so: delivery and error modes. */
function readLongAgo(parsed: SendmailArguments, option: string): void {
  if (option.startsWith('i')) parsed.ignoreDots = true;
}

function readMode(parsed: SendmailArguments, letter: string): void {
  const mode = modes[letter];
  if (mode !== undefined) parsed.mode = mode;
  else throw new UsageError(refusedModes[letter] ?? `There is no mode -b${letter.slice(0, 40)}.`);
}
