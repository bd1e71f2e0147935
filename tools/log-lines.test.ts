import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readSources } from './source-files.ts';

/** Calls of a log, up to their end: `log.warn({ … }, 'what')`. */
const call = /\blog\??\.(?:debug|info|warn|error|fatal)\(/g;

/** What stands in the call's parentheses. */
function argumentsOf(text: string, from: number): string {
  let depth = 1;
  let at = from;
  for (; depth > 0 && at < text.length; at++) {
    const character = text[at] ?? '';
    if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth--;
    else if (`'"\``.includes(character)) at = endOfText(text, at);
  }
  return text.slice(from, at - 1);
}

function endOfText(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== text[start]) at += text[at] === '\\' ? 2 : 1;
  return at;
}

/** The last text among the arguments is what is told; what it holds of values is left out. */
function piecesOf(args: string): string[] {
  const [, plain, template] = [...args.matchAll(/'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g)].at(-1) ?? [];
  return (plain ?? template ?? '')
    .split(/\$\{[^}]*\}/)
    .map((piece) => piece.trim())
    .filter((piece) => piece.length >= 8);
}

test('docs/LOG.md names every line of the log', () => {
  const docs = readFileSync('docs/LOG.md', 'utf8');
  const sources = readSources('src').filter(
    ({ path }) => !path.includes('.test.') && !path.startsWith('testing/'),
  );
  const told = sources.flatMap(({ path, text }) =>
    [...text.matchAll(call)].flatMap(({ index, 0: { length } }) =>
      piecesOf(argumentsOf(text, index + length)).map((piece) => `${path}: ${piece}`),
    ),
  );
  expect(told.length).toBeGreaterThan(80);
  expect(told.filter((line) => !docs.includes(line.slice(line.indexOf(': ') + 2, 80)))).toEqual([]);
});
