import { describe, expect, test } from 'vitest';
import { zone } from './zone.ts';

const example = zone({
  'Example.com.': { MX: [[10, 'mx.example.com']], TXT: ['v=spf1 mx -all', 'other'] },
  'mx.example.com': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
  'www.example.com': { CNAME: 'mx.example.com' },
  'away.example.com': { CNAME: 'elsewhere.example.net' },
  'round.example.com': { CNAME: 'round.example.com' },
  'posthorn._domainkey.example.com': { TXT: ['v=DKIM1; p='] },
  'null.example': { MX: [[0, '']] },
  '1.2.0.192.in-addr.arpa': { PTR: ['mx.example.com'] },
  '_25._tcp.mx.example.com': { TLSA: [[3, 1, 1, 'ab'.repeat(32)]] },
});

const dataOf = (name: string, type: string) => example.answer(name, type).answers.map(({ data }) => data);

describe('zone() answers', () => {
  test('with the records of every type', () => {
    expect(dataOf('example.com', 'MX')).toEqual([{ preference: 10, exchange: 'mx.example.com' }]);
    expect(dataOf('mx.example.com', 'A')).toEqual(['192.0.2.1']);
    expect(dataOf('mx.example.com', 'AAAA')).toEqual(['2001:db8::1']);
    expect(dataOf('example.com', 'TXT')).toEqual([[Buffer.from('v=spf1 mx -all')], [Buffer.from('other')]]);
    expect(dataOf('1.2.0.192.in-addr.arpa', 'PTR')).toEqual(['mx.example.com']);
    expect(dataOf('null.example', 'MX')).toEqual([{ preference: 0, exchange: '.' }]);
    expect(dataOf('_25._tcp.mx.example.com', 'TLSA')).toMatchObject([
      { usage: 3, selector: 1, matchingType: 1 },
    ]);
  });

  test('with an alias and what it leads to', () => {
    expect(dataOf('www.example.com', 'A')).toEqual(['mx.example.com', '192.0.2.1']);
    expect(dataOf('www.example.com', 'CNAME')).toEqual(['mx.example.com']);
    expect(example.answer('away.example.com', 'A')).toMatchObject({
      exists: false,
      answers: [{ type: 'CNAME' }],
    });
  });

  test('without end to an alias of itself', () => {
    expect(example.answer('round.example.com', 'A')).toMatchObject({ exists: true, authority: [] });
  });

  test('NODATA and NXDOMAIN with the SOA of the domain', () => {
    const authority = [{ name: 'example.com', type: 'SOA', data: { minimum: 300 } }];
    expect(example.answer('mx.example.com', 'MX')).toMatchObject({ exists: true, answers: [], authority });
    expect(example.answer('no.example.com', 'MX')).toMatchObject({ exists: false, answers: [], authority });
  });

  test('that names above a name exist (RFC 8020)', () => {
    expect(example.answer('_domainkey.example.com', 'TXT')).toMatchObject({ exists: true, answers: [] });
    expect(example.answer('com', 'TXT')).toMatchObject({ exists: true, authority: [{ name: '.' }] });
    expect(example.answer('', 'NS')).toMatchObject({ exists: true });
  });

  test('that the rest of the world does not exist', () => {
    expect(example.answer('example.org', 'A')).toMatchObject({ exists: false, authority: [{ name: '.' }] });
  });
});

describe('a zone with a SOA', () => {
  const tree = zone({
    example: { SOA: { serial: 7 }, NS: ['ns.example'] },
    'ns.example': { A: ['192.0.2.53'] },
    'below.example': { NS: ['ns.below.example'], DS: [[1, 13, 2, 'ab']] },
    'ns.below.example': { A: ['192.0.2.54'] },
    '*.wild.example': { A: ['192.0.2.1'] },
    'own.wild.example': { TXT: ['own'] },
  });

  test('delegates what has NS records below it, but for the DS', () => {
    expect(tree.answer('mx.below.example', 'MX')).toMatchObject({
      isForeign: true,
      answers: [],
      authority: [{ name: 'below.example', type: 'NS', data: 'ns.below.example' }],
      glue: [{ name: 'ns.below.example', type: 'A', data: '192.0.2.54' }],
    });
    expect(tree.answer('below.example', 'DS')).toMatchObject({ answers: [{ type: 'DS' }] });
    expect(tree.answer('example', 'NS')).toMatchObject({ answers: [{ data: 'ns.example' }] });
  });

  test('tells its SOA where there is nothing', () => {
    const { exists, authority } = tree.answer('nowhere.example', 'A');
    expect(exists).toBe(false);
    expect(authority).toMatchObject([{ name: 'example', data: { serial: 7 } }]);
  });

  test('lets a wildcard stand for names that are not there (RFC 4592)', () => {
    expect(tree.answer('any.thing.wild.example', 'A')).toMatchObject({
      exists: true,
      answers: [{ name: 'any.thing.wild.example', data: '192.0.2.1' }],
    });
    expect(tree.answer('any.wild.example', 'TXT')).toMatchObject({ exists: true, answers: [] });
    expect(tree.answer('own.wild.example', 'A')).toMatchObject({ exists: true, answers: [] });
  });
});
