/**
 * The format of a transcript: a dialogue as a text file, in a folder `transcripts/` beside the code that speaks it.
 *
 *     # POP3 gives CRLF back            the first comment is the title; other comments and blank lines are skipped
 *     C: RETR 1                         the client sends a line, CRLF added; successive ones go out together
 *     C> RETR 1\n                       … sends just this; in both, \r \n \t \0 \\ and \xHH are escapes
 *     S: +OK … octets                   the server's next line; `…` stands for anything within it
 *     S*: 250-…                         one line like it or more, as many as there are
 *     == TLS                            the server wanted TLS, and the handshake is done
 *     == closed                         the server has said its last word and closed
 *     == hang up                        the client breaks the connection off
 *     == idle, == time, == shutdown     the session is ended for that reason
 *
 * With several connections each line names its own: `1C:`, `2S:`, `2==`. A connection begins where it is first named.
 */

import { readdirSync, readFileSync } from 'node:fs';

export type Action = {
  /** Line of the transcript, from 1. */
  line: number;
  /** 1 where none is named. */
  connection: number;
} & (
  | { kind: 'send'; bytes: Buffer }
  | { kind: 'expect'; pattern: string; repeated?: true }
  | { kind: 'tls' }
  | { kind: 'closed' }
  | { kind: 'hangUp' }
  | { kind: 'end'; why: 'idle' | 'time' | 'shutdown' }
);

export interface Transcript {
  title: string;
  actions: Action[];
}

/** Reads a folder's transcripts (`*.txt`), in order of their names. */
export function readTranscripts(folder: URL): Transcript[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  return names.sort().map((name) => {
    try {
      return parseTranscript(readFileSync(new URL(name, `${folder}/`), 'utf8'));
    } catch (error) {
      throw new Error(`Cannot read transcript "${name}"`, { cause: error });
    }
  });
}

/** Throws an Error that names the line where the text is not a transcript. */
export function parseTranscript(text: string): Transcript {
  const lines = text.split(/\r?\n/);
  const title =
    lines.find((line) => line.startsWith('#'))?.replace(/^# */, '') ?? 'a transcript without a title';
  const actions: Action[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    addAction(actions, parseLine(line, index + 1));
  }
  return { title, actions };
}

/** What one connection sends in successive lines is one action. */
function addAction(actions: Action[], action: Action): void {
  const last = actions.at(-1);
  const continues = last?.kind === 'send' && action.kind === 'send' && last.connection === action.connection;
  if (continues) last.bytes = Buffer.concat([last.bytes, action.bytes]);
  else actions.push(action);
}

function parseLine(text: string, line: number): Action {
  const [, number, mark, rest = ''] = /^(\d*)(C:|C>|S:|S\*:|==)(?: (.*))?$/.exec(text) ?? [];
  const connection = number ? Number(number) : 1;
  switch (mark) {
    case 'C:':
      return { line, connection, kind: 'send', bytes: octetsOf(`${rest}\\r\\n`) };
    case 'C>':
      return { line, connection, kind: 'send', bytes: octetsOf(rest) };
    case 'S:':
      return { line, connection, kind: 'expect', pattern: rest };
    case 'S*:':
      return { line, connection, kind: 'expect', pattern: rest, repeated: true };
    case '==':
      return { line, connection, ...parseDirective(rest, line) };
    default:
      throw new Error(`Transcript line ${line} is none of C: C> S: S*: == #: ${text}`);
  }
}

function parseDirective(text: string, line: number) {
  switch (text) {
    case 'TLS':
      return { kind: 'tls' } as const;
    case 'closed':
      return { kind: 'closed' } as const;
    case 'hang up':
      return { kind: 'hangUp' } as const;
    case 'idle':
    case 'time':
    case 'shutdown':
      return { kind: 'end', why: text } as const;
    default:
      throw new Error(`Transcript line ${line}: unknown directive "${text}"`);
  }
}

const escapes: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\' };

/** Text, UTF-8 but for its escapes, → octets. */
function octetsOf(text: string): Buffer {
  const octets = Buffer.from(text).toString('latin1');
  const plain = octets.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (all, hex: string | undefined, letter = '') =>
    hex === undefined ? (escapes[letter] ?? all) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, 'latin1');
}

/** True where the line is the pattern, with anything (or nothing) in place of each `…`. Linear, whatever the line. */
export function matches(pattern: string, line: string): boolean {
  const [head = '', ...parts] = pattern.split('…');
  const tail = parts.pop();
  if (tail === undefined) return line === pattern;
  if (!line.startsWith(head) || !line.endsWith(tail) || line.length < head.length + tail.length) return false;
  let from = head.length;
  for (const part of parts) {
    const at = line.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return from <= line.length - tail.length;
}
