import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { plants } from './plants.ts';

const edits = plants.flatMap(({ name, edits }) => edits.map((edit) => ({ name, ...edit })));

test.each(edits)('$name can be planted into $file', ({ file, find }) => {
  const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  expect(source.split(find)).toHaveLength(2);
});
