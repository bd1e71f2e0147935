/**
 * What people have done to a text that was to be a DMARC record: named, so that it is found in the form that it was entered in, and
 * undone. Pure. RFC 9989 §4.7, §4.8.
 */

export interface DmarcRepair {
  /** What is wrong; the first of it. */
  problem: string;
  /** Absent where what was meant cannot be guessed. */
  text?: string;
}

const policies = new Set(['none', 'quarantine', 'reject']);
const modes: Readonly<Record<string, string>> = { strict: 's', relaxed: 'r' };

type Step = readonly [pattern: RegExp, replacement: string, problem: string];

const steps: readonly Step[] = [
  [
    /^.*\bTXT\s*\(?\s*"(v\s*=\s*DMARC1\b.*?)"\s*\)?\s*$/i,
    '$1',
    'it is the whole line of a zone file; only what stands between the quotes belongs here',
  ],
  [/^\s*["']+\s*|\s*["']+\s*$/g, '', 'it has quotes in it; they belong into zone files only'],
  [/\\;/g, ';', 'it has backslashes; they belong into zone files only'],
  [/^v\s*=\s*DMARC1\s*,?\s+(?=[a-z]+\s*=)/i, 'v=DMARC1; ', 'a semicolon is missing behind v=DMARC1'],
  [/^v\s*=?\s*["']?\s*d[a-z]*\s*1?\s*;/i, 'v=DMARC1;', 'it has to begin with "v=DMARC1;"'],
  [/;\s*(?=mailto:)/gi, ',', 'a comma belongs between two addresses for reports, not a semicolon'],
  [/(?<=[=,]\s*)(?=[^\s:;,=@]+@)/g, 'mailto:', 'mailto: is missing before an address for reports'],
  [
    /\b(p|sp|np)\s*=\s*(none|quarantine|reject)\s+(?=[a-z]+\s*=)/gi,
    '$1=$2; ',
    'a semicolon is missing between two tags',
  ],
];

/** Undefined where nothing is wrong. */
export function repairDmarc(entered: string): DmarcRepair | undefined {
  let text = entered;
  let problem = problemOf(text);
  if (problem === undefined) return undefined;
  const named: string[] = [];
  for (const [pattern, replacement, what] of steps) {
    const changed = text.replace(pattern, replacement);
    if (changed === text) continue;
    text = changed;
    named.push(what);
  }
  for (const name of ['adkim', 'aspf'])
    text = text.replace(
      new RegExp(`\\b(${name}\\s*=\\s*)(strict|relaxed)\\b`, 'i'),
      (_, tag: string, word: string) => `${tag}${modes[word.toLowerCase()]}`,
    );
  problem = named[0] ?? problem;
  return problemOf(text) === undefined ? { problem, text } : { problem: problemOf(text) ?? problem };
}

function problemOf(text: string): string | undefined {
  if (!/^v\s*=\s*DMARC1\s*(?:;|$)/i.test(text)) return 'it has to begin with "v=DMARC1;"';
  const parts = text.split(';').map((part) => part.trim());
  const tags = new Map<string, string>();
  for (const part of parts) {
    if (part === '') continue;
    const [, name = '', value = ''] = /^([^=\s]+)\s*=\s*(.*)$/.exec(part) ?? [];
    if (name === '') return `"${part.slice(0, 40)}" is no tag`;
    if (tags.has(name.toLowerCase())) return `the tag ${name.slice(0, 20)}= stands there twice`;
    tags.set(name.toLowerCase(), value.toLowerCase());
  }
  return valueProblem(tags);
}

function valueProblem(tags: ReadonlyMap<string, string>): string | undefined {
  if (!tags.has('p')) return 'it has no p=';
  for (const name of ['p', 'sp', 'np']) {
    const value = tags.get(name);
    if (value !== undefined && !policies.has(value))
      return `${name}=${value.slice(0, 40)} is not none, quarantine or reject`;
  }
  for (const name of ['adkim', 'aspf']) {
    const value = tags.get(name);
    if (value !== undefined && value !== 'r' && value !== 's')
      return `${name}=${value.slice(0, 40)} is neither ${name}=r (relaxed) nor ${name}=s (strict)`;
  }
  const uris = (tags.get('rua') ?? '').split(',').map((uri) => uri.trim());
  const bad = uris.find((uri) => uri !== '' && !/^[a-z][a-z\d+.-]*:/.test(uri));
  return bad === undefined
    ? undefined
    : `rua=${bad.slice(0, 60)} is no URI: write mailto: before the address`;
}
