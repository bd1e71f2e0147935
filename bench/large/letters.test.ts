import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createLetters } from './letters.ts';

const letters = createLetters(100_000);
const text = (number: number, form: 'file' | 'wire') =>
  Buffer.concat([...letters.body(number, form)]).toString();

describe('createLetters()', () => {
  it('makes bodies of at least the size, each different', () => {
    expect(text(1, 'file').length).toBeGreaterThanOrEqual(100_000);
    expect(text(1, 'file')).not.toBe(text(2, 'file'));
  });

  it('gives one body in two forms: CRLF and doubled dots on the wire', () => {
    const file = text(3, 'file');
    expect(file).toMatch(/^\./m);
    expect(text(3, 'wire')).toBe(file.replace(/^\./gm, '..').replaceAll('\n', '\r\n'));
  });

  it('makes the same body again, with its hash', () => {
    const again = createLetters(100_000);
    expect(again.hash(4, 'wire')).toBe(createHash('sha256').update(text(4, 'wire')).digest('hex'));
  });
});
