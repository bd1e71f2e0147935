/**
 * What docs/configuration.md and docs/POLICIES.md say of each key: the documents are the one source, read where somebody asks. Their tables
 * begin with `| key | default | what |`, below a line that names the table of the file, or with `| key of `[[name]]` | …`.
 */

import { readFile } from 'node:fs/promises';

export interface KeyDoc {
  /** In words, where it is not just a value. */
  default: string;
  text: string;
}

/** By table and key: `limits.recipients`; `hostname` at the top. */
export type KeyDocs = ReadonlyMap<string, KeyDoc>;

/** docs/ lies two folders up from here, in the sources as in what is published. */
export async function readKeyDocs(): Promise<KeyDocs> {
  const texts = ['configuration.md', 'POLICIES.md'].map((name) =>
    readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8'),
  );
  return new Map((await Promise.all(texts)).flatMap((text) => [...parseKeyDocs(text)]));
}

const heading = /^`\[{1,2}([\w.]+)\]{1,2}`/;
const keyHeader = /^key(?: of `\[*([\w.]+)\]*`)?$/;

export function parseKeyDocs(markdown: string): Map<string, KeyDoc> {
  const docs = new Map<string, KeyDoc>();
  let table = '';
  let isOfKeys = false;
  for (const line of markdown.split('\n')) {
    table = heading.exec(line)?.[1] ?? table;
    if (!line.startsWith('|')) {
      isOfKeys = false;
      continue;
    }
    const [first = '', inWords = '', text = ''] = cellsOf(line);
    const header = keyHeader.exec(first);
    if (header) {
      isOfKeys = true;
      table = header[1] ?? table;
    } else if (isOfKeys)
      for (const [, key = ''] of first.matchAll(/`(\w+)`/g))
        docs.set(table === '' ? key : `${table}.${key}`, { default: inWords, text });
  }
  return docs;
}

const cellsOf = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));

/** As a terminal shows it: links and code are words. */
export const plainText = (markdown: string): string =>
  markdown.replace(/\[([^\]]*)\]\(([^)]*)\)/g, '$1').replaceAll('`', '');
