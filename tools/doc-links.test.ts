import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const documents = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** `[words](place)`, where the place is no address of the web. */
const links = (text: string): string[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, place = '']) => place)
    .filter((place) => !/^[a-z]+:/.test(place));

/** As GitHub makes them of headings: letters, digits, `-` and `_` stay. */
const anchorsOf = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  );

function isBroken(document: string, place: string): boolean {
  const [path = '', anchor] = place.split('#');
  const target = path === '' ? document : join(dirname(document), path);
  if (!existsSync(target)) return true;
  return anchor !== undefined && statSync(target).isFile() && !anchorsOf(target).includes(anchor);
}

test('every link of the documents leads to a file, and to a heading in it', () => {
  const all = documents.flatMap((document) =>
    links(readFileSync(document, 'utf8')).map((place) => [document, place]),
  );
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter(([document = '', place = '']) => isBroken(document, place))).toEqual([]);
});

test('README.md leads to every document, by itself or by one that it leads to', () => {
  const reached = new Set<string>();
  const walk = (document: string) => {
    if (reached.has(document)) return;
    reached.add(document);
    for (const place of links(readFileSync(document, 'utf8'))) {
      const target = relative('.', join(dirname(document), place.split('#')[0] ?? ''));
      if (target.endsWith('.md') && existsSync(target)) walk(target);
    }
  };
  walk('README.md');
  // The decisions are listed by their folder.
  const apart = documents.filter(
    (document) => !reached.has(document) && !document.startsWith('docs/decisions/'),
  );
  expect(apart).toEqual(['CHANGELOG.md']);
});
