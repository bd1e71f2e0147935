import { describe, expect, test } from 'vitest';
import { canonicalName, isAskableName, isHarmlessName } from './name.ts';

test('canonicalName() gives every spelling of a name the same form', () => {
  expect(['Example.COM.', 'example.com', 'EXAMPLE.com'].map(canonicalName)).toEqual(
    Array(3).fill('example.com'),
  );
  expect(canonicalName('.')).toBe('');
});

describe('isAskableName()', () => {
  const label = 'a'.repeat(63);
  test.each([
    'example.com',
    '_dmarc.example.com',
    'a+b=c.example.com',
    `${label}.com`,
    '0/25.2.0.192.in-addr.arpa',
  ])('takes %s', (name) => expect(isAskableName(name)).toBe(true));
  test.each([
    '',
    '.',
    '.com',
    'a..b',
    `${label}a.com`,
    'a b.com',
    'bücher.example',
    'a\0.com',
    `${label}.`.repeat(4),
  ])('refuses %j', (name) => expect(isAskableName(name)).toBe(false));
});

test('isHarmlessName() refuses what could be more than a name in a header field', () => {
  const hostile = [
    'mx.example.com\r\nX: y',
    'a(b.com',
    'a b',
    'a;b',
    '"a"',
    '<a>',
    'é.com',
    '*.example.com',
    '',
  ];
  expect(hostile.filter(isHarmlessName)).toEqual([]);
  expect(isHarmlessName('_25._tcp.mx-1.example.com')).toBe(true);
});
