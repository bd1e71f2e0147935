/** Comma-separated values as RFC 4180 describes them: quoted fields, doubled quotes, CRLF or LF. Knows no columns. */

export interface CsvRow {
  /** Line in which the row begins, from 1. */
  line: number;
  fields: string[];
}

export interface CsvResult {
  rows: CsvRow[];
  /** Lines where a quote is out of place. */
  malformed: number[];
}

/** One field and what ends it. Plain fields hold no quotes; quoted ones may hold anything, quotes doubled. */
const field = /(?:"(?<quoted>(?:[^"]|"")*)"|(?<plain>[^",\r\n]*))(?<end>,|\r?\n|$)/y;

/** Blank lines and a byte order mark are passed over; a malformed line is left out and told. */
export function parseCsv(text: string): CsvResult {
  const input = text.replace(/^\uFEFF/, '');
  const result: CsvResult = { rows: [], malformed: [] };
  let at = 0;
  let line = 1;
  while (at < input.length) {
    const row = readRow(input, at);
    if (row === undefined) result.malformed.push(line);
    else if (row.fields.length > 1 || row.fields[0]?.trim() !== '')
      result.rows.push({ line, fields: row.fields });
    const next = row?.next ?? endOfLine(input, at);
    line += countLines(input, at, next);
    at = next;
  }
  return result;
}

function readRow(input: string, start: number): { fields: string[]; next: number } | undefined {
  const fields: string[] = [];
  field.lastIndex = start;
  for (;;) {
    const match = field.exec(input);
    if (match === null) return undefined;
    const { quoted, plain = '', end } = match.groups ?? {};
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ',') return { fields, next: field.lastIndex };
  }
}

function endOfLine(input: string, from: number): number {
  const end = input.indexOf('\n', from);
  return end < 0 ? input.length : end + 1;
}

const countLines = (input: string, from: number, to: number): number =>
  input.slice(from, to).split('\n').length - 1;
