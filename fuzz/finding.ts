/** What a round found, as a test case that can be copied into a test or played again from the command line. */

export interface Finding {
  target: string;
  /** It threw, or something that must hold does not; it took too long; it kept memory; it never came back. */
  kind: 'throw' | 'slow' | 'memory' | 'hang';
  /** What happened, for people. */
  message: string;
  /** As small as it could be made; absent where no single input is to blame. */
  input?: Buffer;
}

/** Octets of an input that are printed as text; the rest is in the base64. */
const longestText = 400;
const longestPeriod = 256;
const longestArgument = 2 ** 17;

/** The octets as the text between two quotes of JavaScript would be, one character per octet. */
export function escaped(octets: Buffer): string {
  const text = octets.toString('latin1').replace(/[\\']|[^\x20-\x7e]/g, (character) => {
    const short = { '\r': '\\r', '\n': '\\n', '\t': '\\t', '\\': '\\\\', "'": "\\'" }[character];
    return short ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

export function describeFinding({ target, kind, message, input }: Finding): string {
  const lines = [`FOUND ${target} (${kind}): ${message}`];
  if (input !== undefined) {
    const base64 = input.toString('base64');
    lines.push(`  ${input.length} octets: '${escaped(input)}'`, `  test case: ${testCase(input)}`);
    // What is longer than an argument may be (128 KiB) can't be given so.
    if (base64.length < longestArgument)
      lines.push(`  again: npm run fuzz -- --target ${target} --input ${base64}`);
  }
  return lines.join('\n');
}

/** As it is written in a test: a long run as how it is made. */
function testCase(input: Buffer): string {
  const period = periodOf(input);
  if (period === undefined) return `Buffer.from('${input.toString('base64')}', 'base64')`;
  const pattern = input.toString('base64', 0, period);
  return `Buffer.alloc(${input.length}, Buffer.from('${pattern}', 'base64'))`;
}

/** After how many octets the input begins again, where these are few against all. */
function periodOf(input: Buffer): number | undefined {
  for (let period = 1; period <= Math.min(longestPeriod, input.length / 4); period++)
    if (input.subarray(period).equals(input.subarray(0, -period))) return period;
  return undefined;
}

/** For `--json`. */
export const findingJson = ({ input, ...rest }: Finding) => ({
  ...rest,
  ...(input === undefined ? {} : { text: escaped(input), base64: input.toString('base64') }),
});
