import { describe, expect, test } from 'vitest';
import { type NameRecords, recordsOf } from './zone-data.ts';

describe('recordsOf()', () => {
  test('cuts a TXT record into character-strings of 255 octets', () => {
    const [record] = recordsOf({ 'example.com': { TXT: [`${'a'.repeat(255)}${'b'.repeat(255)}é`] } }, 60);
    expect(record).toMatchObject({ name: 'example.com', ttl: 60, type: 'TXT' });
    expect(record?.data).toEqual([
      Buffer.from('a'.repeat(255)),
      Buffer.from('b'.repeat(255)),
      Buffer.from('é'),
    ]);
  });

  test('gives an empty TXT record one empty string', () => {
    expect(recordsOf({ a: { TXT: [''] } }, 60)).toMatchObject([{ data: [Buffer.alloc(0)] }]);
  });

  test.each<[string, NameRecords, string]>([
    ['a..b', {}, 'Cannot serve "a..b": not a domain name'],
    ['a', { A: ['192.0.2.256'] }, 'Cannot serve "192.0.2.256": not an IPv4 address'],
    ['a', { AAAA: ['192.0.2.1'] }, 'Cannot serve "192.0.2.1": not an IPv6 address'],
    ['a', { MX: [[10, 'm x']] }, 'Cannot serve "m x": not a domain name'],
    ['a', { PTR: [''] }, 'Cannot serve "": not a domain name'],
    ['a', { TLSA: [[3, 1, 1, 'xyz']] }, 'Cannot serve "xyz": not the hexadecimal data of a TLSA record'],
    ['a', { CNAME: 'b', A: ['192.0.2.1'] }, 'Cannot serve "a": an alias that has other records too'],
  ])('refuses %j with %j', (name, records, message) => {
    expect(() => recordsOf({ [name]: records }, 60)).toThrow(message);
  });
});
