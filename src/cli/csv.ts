/** Comma-separated values as RFC 4180 describes them: quoted fields, doubled quotes, CRLF or LF. Knows no columns. */

export interface CsvRow {
  /** Line in which the row begins, from 1. */
  line: number;
  /** Undefined for a line where a quote is out of place. */
  fields: string[] | undefined;
}

/** A field without quotes, and what ends a field. */
const plainField = /[^",\r\n]*/y;
const fieldEnd = /,|\r?\n|$/y;

/** Of a row that has more, the rest of its line is left out. */
const maxFields = 100;

const blankLines = /(?:\r?\n)+/y;

/** The rows, one by one as they are asked for. Blank lines and a byte order mark are passed over. */
export function* csvRows(text: string): Generator<CsvRow> {
  const input = text.replace(/^\uFEFF/, '');
  let at = skipBlankLines(input, 0);
  let line = 1 + countLines(input, 0, at);
  while (at < input.length) {
    const row = readRow(input, at);
    const isBlank = row?.fields.length === 1 && row.fields[0]?.trim() === '';
    if (!isBlank) yield { line, fields: row?.fields };
    const next = skipBlankLines(input, row?.next ?? endOfLine(input, at));
    line += countLines(input, at, next);
    at = next;
  }
}

function readRow(input: string, start: number): { fields: string[]; next: number } | undefined {
  const fields: string[] = [];
  for (let at = start; ; at = fieldEnd.lastIndex) {
    const end = input[at] === '"' ? quotedEnd(input, at) : plainEnd(input, at);
    fieldEnd.lastIndex = end ?? 0;
    const mark = end === undefined ? undefined : fieldEnd.exec(input)?.[0];
    if (mark === undefined) return undefined;
    fields.push(unquote(input.slice(at, end)));
    if (mark !== ',') return { fields, next: fieldEnd.lastIndex };
    if (fields.length === maxFields) return { fields, next: endOfLine(input, fieldEnd.lastIndex) };
  }
}

/** The offset after the quote that closes the one at `start`; anything may stand between them, quotes doubled. */
function quotedEnd(input: string, start: number): number | undefined {
  for (let at = start + 1; at < input.length; at++) {
    if (input[at] !== '"') continue;
    if (input[at + 1] !== '"') return at + 1;
    at++;
  }
  return undefined;
}

function plainEnd(input: string, start: number): number {
  plainField.lastIndex = start;
  plainField.test(input);
  return plainField.lastIndex;
}

const unquote = (text: string): string =>
  text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;

function skipBlankLines(input: string, from: number): number {
  blankLines.lastIndex = from;
  return blankLines.test(input) ? blankLines.lastIndex : from;
}

function endOfLine(input: string, from: number): number {
  const end = input.indexOf('\n', from);
  return end < 0 ? input.length : end + 1;
}

function countLines(input: string, from: number, to: number): number {
  let count = 0;
  for (let at = input.indexOf('\n', from); at >= 0 && at < to; at = input.indexOf('\n', at + 1)) count++;
  return count;
}
