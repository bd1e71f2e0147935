import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fieldValue, parseHeader } from './header.ts';
import { messageIdsOf } from './message-ids.ts';

const vectors: { header: string; expected: string[] | null }[] = JSON.parse(
  readFileSync(new URL('../../testdata/mime/id.json', import.meta.url), 'utf8'),
);

test.each(vectors)('suite mime: id $header', ({ header, expected }) => {
  const [field] = parseHeader(Buffer.from(`Message-ID: ${header}\n`)).fields;
  const ids = field === undefined ? [] : messageIdsOf(fieldValue(field));
  expect(ids).toEqual((expected ?? []).map((id) => `<${id}>`));
});

test('messageIdsOf() passes over what stands between the ids', () => {
  expect(messageIdsOf('bogus <a@b> (comment) <truncated <c@d>')).toEqual(['<a@b>', '<c@d>']);
  expect(messageIdsOf('')).toEqual([]);
});
