import { describe, expect, it, test } from 'vitest';
import { parseDomain } from './domain.ts';

describe('parseDomain()', () => {
  test.each([
    ['Example.COM', 'example.com'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['c--n.com', 'c--n.com'],
    ['xn--a.example', 'xn--a.example'],
    ['localhost', 'localhost'],
    ['1.2.3.example', '1.2.3.example'],
  ])('M1: reads %s', (text, name) => {
    expect(parseDomain(text)).toBe(name);
  });

  test.each([
    '',
    '.',
    'a..b',
    'a.',
    '.a',
    '-a.b',
    'a-.b',
    'a_b.c',
    'a b.c',
    '1.2.3',
    '1.2.3.4',
    'a\0.b',
    'a\u00ad.\u200db',
  ])('refuses %j', (text) => {
    expect(parseDomain(text)).toBeUndefined();
  });

  it('takes 253 characters and refuses 254', () => {
    const name = 'abcdefg.'.repeat(31);
    expect(parseDomain(`${name}abcde`)).toHaveLength(253);
    expect(parseDomain(`${name}abcdef`)).toBeUndefined();
  });
});
