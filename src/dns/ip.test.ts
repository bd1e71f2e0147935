import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIpv6, parseIpv4, parseIpv6 } from './ip.ts';

test('parseIpv4() takes four octets and nothing else', () => {
  expect(parseIpv4('192.0.2.255')).toEqual([192, 0, 2, 255]);
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', '1.2.3.x', ' 1.2.3.4', '1.2.3.']) {
    expect(parseIpv4(text), text).toBeUndefined();
  }
});

describe('parseIpv6()', () => {
  const canonical = (text: string) => formatIpv6(parseIpv6(text) ?? []);

  test.each([
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ])('reads %s, which is canonically %s (RFC 5952)', (text, expected) =>
    expect(canonical(text)).toBe(expected),
  );

  test.each([
    '',
    ':',
    ':::',
    '1:2:3',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    'g::',
    '::1.2.3',
    ':1::',
  ])('refuses %j', (text) => expect(parseIpv6(text)).toBeUndefined());

  test('reads back whatever formatIpv6() writes', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        expect(parseIpv6(formatIpv6(groups))).toEqual(groups);
      }),
    );
  });
});
