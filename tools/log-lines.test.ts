import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readSources } from './source-files.ts';

/** Calls of a log, up to their end: `log.warn({ … }, 'what')`. */
const call = /\blog\??(?:\.(?:debug|info|warn|error|fatal)|\[[^\]]*\])\(/g;

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

/** The last text among the arguments is what is told; what it holds of values is left out. Undefined: it comes from elsewhere. */
function piecesOf(args: string): string[] | undefined {
  const last = [...args.matchAll(/'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g)].at(-1);
  if (last === undefined) return undefined;
  const [, plain, template = ''] = last;
  // A word alone stands in the documents by itself.
  if (plain !== undefined && plain.length < 8) return [`\`${plain}\``];
  return (plain ?? template)
    .split(/\$\{[^}]*\}/)
    .map((piece) => piece.trim())
    .filter((piece) => piece.length >= 8);
}

/** What is told in the words of another place, by the file that tells it. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  'acme/keeper.ts': ['what was tried before is forgotten', 'the clock of this machine is'],
  // By the names of events.
  'dossier/log-events.ts': ['`accepted`', '`checked`', '`judged`', '`delivered`', '`deferred`', '`failed`'],
  'reception/checks/dns-lists.ts': ['this DNS list does not answer our resolver as it should'],
  'wiring/edition.ts': ['every user of this machine may read'],
  'store/sqlite/open.ts': ['there were no sums of the pages'],
};

test('docs/LOG.md names every line of the log', () => {
  const docs = readFileSync('docs/LOG.md', 'utf8');
  const sources = readSources('src').filter(
    ({ path }) => !path.includes('.test.') && !path.startsWith('testing/'),
  );
  const told = sources.flatMap(({ path, text }) =>
    [...text.matchAll(call)].map(({ index, 0: { length } }) => ({
      path,
      pieces: piecesOf(argumentsOf(text, index + length)),
    })),
  );
  const texts = told.flatMap(({ pieces = [] }) => pieces);
  expect(texts.length).toBeGreaterThan(80);
  expect(texts.filter((text) => !docs.includes(text.slice(0, 60)))).toEqual([]);
  const indirect = told.filter(({ pieces }) => pieces === undefined).map(({ path }) => path);
  expect([...new Set(indirect)].sort()).toEqual(Object.keys(elsewhere).sort());
  const indirectTexts = Object.values(elsewhere).flat();
  expect(indirectTexts.filter((text) => !docs.includes(text))).toEqual([]);
});
