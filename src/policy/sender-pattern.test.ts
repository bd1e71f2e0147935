import { describe, expect, test } from 'vitest';
import { findPattern, parseSenderPattern } from './sender-pattern.ts';

describe('M12: a pattern of senders', () => {
  test.each([
    ['user@example.org', 'user@example.org', true],
    ['user@example.org', 'User@EXAMPLE.org', true],
    ['user@example.org', 'other@example.org', false],
    ['user@example.org', 'user@sub.example.org', false],
    ['user*@example.com', 'user@example.com', true],
    ['user*@example.com', 'user.name+tag@example.com', true],
    ['user*@example.com', 'a.user@example.com', false],
    ['*news*@example.com', 'the-news-letter@example.com', true],
    ['a*b*c@example.com', 'axxbyyc@example.com', true],
    ['a*b*c@example.com', 'ac@example.com', false],
    ['ab*ba@example.com', 'aba@example.com', false],
    ['*@example.org', 'anybody@example.org', true],
    ['*@example.org', 'anybody@sub.example.org', false],
    ['*@*.example.org', 'anybody@sub.example.org', true],
    ['*@*.example.org', 'anybody@example.org', true],
    ['*@mail*.example.org', 'a@mail7.example.org', true],
    ['*@*', 'a@example.net', true],
    ['example.org', 'anybody@example.org', true],
    ['example.org', 'anybody@sub.example.org', false],
    ['*.example', 'a@sub.deep.example', true],
    ['*.example', 'a@example', true],
    ['*.example', 'a@badexample', false],
    ['*.example', 'a@sub.example.org', false],
    ['*@münchen.example', 'a@xn--mnchen-3ya.example', true],
    ['*@[192.0.2.1]', 'a@[192.0.2.1]', true],
    ['"a b"@example.org', 'x@example.org', undefined],
  ])('%s and %s', (text, address, fits) => {
    const pattern = parseSenderPattern(text);
    if (fits === undefined) return expect(pattern).toBeUndefined();
    expect(pattern).toBeDefined();
    expect(findPattern([pattern ?? ''], address)).toBe(fits ? pattern : undefined);
  });

  test.each([
    '',
    '*',
    '@example.org',
    'a b@example.org',
    'user@',
    'user@-bad-',
    '<a@example.org>',
    'a@b c',
    'x'.repeat(300),
  ])('%j is none', (text) => expect(parseSenderPattern(text)).toBeUndefined());

  test('the null sender fits none', () => {
    expect(findPattern(['*@*'], '')).toBeUndefined();
  });

  test('hostile patterns and addresses cost no more than their length', () => {
    const pattern = `${'*a'.repeat(100)}*b@example.org`;
    const address = `${'a'.repeat(2_000_000)}@example.org`;
    const before = performance.now();
    expect(findPattern([pattern], address)).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(1000);
  });
});
