import { expect, test } from 'vitest';
import { listOf, readTags } from './tag-list.ts';

const read = (text: string) => {
  const { tags, problem } = readTags(text);
  return tags ? Object.fromEntries(tags) : problem;
};

test.each([
  ['a=1', { a: '1' }],
  [' a = 1 ;\r\n\tb= x y ; ', { a: '1', b: 'x y' }],
  ['a=;b=2;', { a: '', b: '2' }],
  ['a=1;A=2', { a: '1', A: '2' }],
  ['p=a=b==', { p: 'a=b==' }],
  ['i=m\u00f8x@example', { i: 'm\u00f8x@example' }],
  ['a_1=x', { a_1: 'x' }],
  ['', {}],
  ['a=1;a=2', 'the tag a= stands twice'],
  ['a=1;;b=2', '"" is no tag'],
  ['a=1; b', '"b" is no tag'],
  ['=1', '"=1" is no tag'],
  ['1a=1', '"1a=1" is no tag'],
  ['a b=1', '"a?b=1" is no tag'],
  ['a=1\r2', '"a=1?2" is no tag'],
  ['a=\u0000', '"a=?" is no tag'],
])('readTags(%j)', (text, expected) => {
  expect(read(text)).toEqual(expected);
});

test('readTags() is linear in what it is given', () => {
  for (const unit of [';', '=', ' ', 'a', 'a=;', '\r\n ', '\t']) {
    const text = unit.repeat(300_000);
    const startedAt = performance.now();
    readTags(text);
    listOf(text);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  }
});
