import { describe, expect, test } from 'vitest';
import { findParts } from './multipart.ts';

function partsOf(body: string, boundary = 'b'): string[] | undefined {
  const bytes = Buffer.from(`before\r\n${body}after`);
  const span = { start: 8, end: bytes.length - 5 };
  return findParts(bytes, span, boundary)?.map(({ start, end }) => bytes.toString('utf8', start, end));
}

describe('findParts()', () => {
  test.each([
    ['two parts', '--b\r\none\r\n--b\r\ntwo\r\n--b--\r\n', ['one', 'two']],
    ['preamble and epilogue', 'pre\r\n--b\r\none\r\n--b--\r\nepilogue --b\r\n--b\r\nno part', ['one']],
    ['empty parts', '--b\r\n--b\r\n\r\n--b--', ['', '']],
    ['white space after a boundary', '--b \t\r\none\r\n--b-- \r\n', ['one']],
    ['a boundary that begins another', '--bb\r\nno\r\n--b\r\none\r\n--bb\r\n--b--\r\n', ['one\r\n--bb']],
    ['a boundary within a line', '--b\r\none --b\r\n --b\r\n--b--', ['one --b\r\n --b']],
    ['LF', '--b\none\n--b\ntwo\n--b--\n', ['one', 'two']],
    ['no last delimiter', '--b\r\none\r\n--b\r\ntwo\r\n', ['one', 'two\r\n']],
    ['a body that ends within a delimiter', '--b\r\none\r\n--', ['one\r\n--']],
  ])('finds %s', (_, body, parts) => {
    expect(partsOf(body)).toEqual(parts);
  });

  test('finds nothing where there is no delimiter', () => {
    expect(partsOf('text --b\r\n--bc\r\n')).toBeUndefined();
  });
});
