import { AUTHENTIC_DATA, decode, encode, type Packet, TRUNCATED_RESPONSE } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeResponse,
  encodeQuery,
  maxAliases,
  maxNegativeTtl,
  maxRecords,
  type Question,
} from './message.ts';
import type { RecordType } from './resolver.ts';

const id = 4711;
const mx = { name: 'example.com', type: 'MX' } as const;
const soa = { mname: 'a', rname: 'b', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 60 };

/** Reads a reply made of `packet` as the reply to `question`. */
function read<T extends RecordType>(question: Question<T>, packet: Packet) {
  return decodeResponse(encode({ type: 'response', id, questions: [question], ...packet }), id, question);
}

function replyTo<T extends RecordType>(question: Question<T>, ...answers: NonNullable<Packet['answers']>) {
  return read(question, { answers });
}

describe('encodeQuery()', () => {
  test('asks recursively, for the AD bit, with EDNS and without DO', () => {
    const packet = decode(encodeQuery(id, mx) ?? Buffer.alloc(0));
    expect(packet).toMatchObject({ id, type: 'query', flag_rd: true, flag_ad: true, flag_cd: false });
    expect(packet.questions).toEqual([{ ...mx, class: 'IN' }]);
    expect(packet.additionals).toMatchObject([
      { type: 'OPT', udpPayloadSize: 1232, ednsVersion: 0, flag_do: false },
    ]);
  });

  test('gives nothing for a name that no message can hold', () => {
    for (const name of ['', 'a..b', 'x'.repeat(64), 'bücher.example']) {
      expect(encodeQuery(id, { name, type: 'A' })).toBeUndefined();
    }
  });
});

describe('decodeResponse() reads', () => {
  test('A and AAAA, the latter in canonical form', () => {
    const a = { name: 'mx.example.com', type: 'A' } as const;
    const aaaa = { name: 'mx.example.com', type: 'AAAA' } as const;
    expect(replyTo(a, { ...a, ttl: 300, data: '192.0.2.1' })).toEqual({
      status: 'found',
      records: ['192.0.2.1'],
      ttl: 300,
      authentic: false,
    });
    expect(replyTo(aaaa, { ...aaaa, ttl: 300, data: '2001:0:0:1:0:0:0:1' })).toMatchObject({
      records: ['2001:0:0:1::1'],
    });
  });

  test('MX with lower-case hosts, and the null MX', () => {
    const host = { ...mx, ttl: 60, data: { preference: 10, exchange: 'MX.Example.COM' } };
    const nullMx = { ...mx, ttl: 60, data: { preference: 0, exchange: '.' } };
    expect(replyTo(mx, host)).toMatchObject({ records: [{ preference: 10, exchange: 'mx.example.com' }] });
    expect(replyTo(mx, nullMx)).toMatchObject({ records: [{ preference: 0, exchange: '' }] });
  });

  test('TXT as character-strings, one character per octet', () => {
    const txt = { name: 'example.com', type: 'TXT' } as const;
    const halves = [Buffer.from([0x76, 0xc3]), Buffer.from([0xbc])];
    expect(replyTo(txt, { ...txt, ttl: 60, data: halves })).toMatchObject({ records: [['v\xc3', '\xbc']] });
  });

  test('PTR and TLSA', () => {
    const ptr = { name: '1.2.0.192.in-addr.arpa', type: 'PTR' } as const;
    const tlsa = { name: '_25._tcp.mx.example.com', type: 'TLSA' } as const;
    const data = { usage: 3, selector: 1, matchingType: 1 };
    expect(replyTo(ptr, { ...ptr, data: 'mx.example.com' })).toMatchObject({ records: ['mx.example.com'] });
    expect(replyTo(tlsa, { ...tlsa, data: { ...data, certificate: Buffer.from('ab') } })).toMatchObject({
      records: [{ ...data, data: Buffer.from('ab') }],
    });
  });

  test('the lowest TTL, and one with the top bit set as 0 (RFC 2181 §8)', () => {
    const data = { preference: 1, exchange: 'a.example' };
    expect(replyTo(mx, { ...mx, ttl: 300, data }, { ...mx, ttl: 60, data })).toMatchObject({ ttl: 60 });
    expect(replyTo(mx, { ...mx, ttl: 2 ** 31 + 5, data })).toMatchObject({ ttl: 0 });
  });

  test('the AD bit', () => {
    const data = { preference: 1, exchange: 'a.example' };
    expect(read(mx, { flags: AUTHENTIC_DATA, answers: [{ ...mx, data }] })).toMatchObject({
      authentic: true,
    });
    expect(read(mx, { flags: AUTHENTIC_DATA })).toMatchObject({ status: 'none', authentic: true });
  });
});

describe('decodeResponse() follows aliases', () => {
  const a = { name: 'www.example.com', type: 'A' } as const;
  const alias = (name: string, data: string, ttl = 300) => ({ name, type: 'CNAME', ttl, data }) as const;

  test('to the records at the end, in any order, with the TTL of the weakest link', () => {
    const end = { name: 'b.example', type: 'A', ttl: 300, data: '192.0.2.1' } as const;
    const reply = replyTo(a, end, alias('A.example', 'b.example', 30), alias('www.example.com', 'a.example'));
    expect(reply).toMatchObject({ status: 'found', records: ['192.0.2.1'], ttl: 30 });
    expect(reply).toMatchObject({ canonicalName: 'b.example' });
  });

  test('not to records of other names, which do not say that there is no such record either', () => {
    const other = { name: 'other.example', type: 'A', ttl: 300, data: '192.0.2.1' } as const;
    const detail = 'an answer with records of other names only';
    expect(replyTo(a, other)).toEqual({ status: 'failed', detail });
    expect(replyTo(a, alias('www.example.com', 'a.example'), other)).toMatchObject({ reason: 'nodata' });
  });

  test('but not in circles', () => {
    const reply = replyTo(a, alias('www.example.com', 'a.example'), alias('a.example', 'www.example.com'));
    expect(reply).toEqual({ status: 'failed', detail: `more than ${maxAliases} aliases (CNAME) in a row` });
  });

  test('unless the question is for the alias itself', () => {
    const question = { name: 'www.example.com', type: 'CNAME' } as const;
    const reply = replyTo(question, alias('www.example.com', 'a.example'), alias('a.example', 'b.example'));
    expect(reply).toMatchObject({ records: ['a.example'] });
  });
});

describe('decodeResponse() tells apart', () => {
  const authority = (ttl: number, minimum: number) =>
    ({ name: 'example.com', type: 'SOA', ttl, data: { ...soa, minimum } }) as const;

  test('no such name and no such record, with the lesser of the SOA’s TTL and minimum (RFC 2308)', () => {
    const none = { status: 'none', ttl: 60, authentic: false };
    expect(read(mx, { flags: 3, authorities: [authority(300, 60)] })).toEqual({
      ...none,
      reason: 'nxdomain',
    });
    expect(read(mx, { authorities: [authority(60, 300)] })).toEqual({ ...none, reason: 'nodata' });
  });

  test('negative answers that may not be kept, and those kept too long', () => {
    expect(read(mx, { flags: 3 })).toMatchObject({ ttl: 0 });
    expect(read(mx, { flags: 3, authorities: [authority(1e6, 1e6)] })).toMatchObject({ ttl: maxNegativeTtl });
  });

  test.each([
    [1, 'FORMERR'],
    [2, 'SERVFAIL'],
    [5, 'REFUSED'],
    [9, 'RCODE 9'],
  ])('RCODE %i, which is no answer: %s', (flags, detail) => {
    expect(read(mx, { flags })).toEqual({ status: 'failed', detail });
    expect(read(mx, { flags, questions: [] })).toEqual({ status: 'failed', detail });
  });

  test('a truncated reply', () => {
    expect(read(mx, { flags: TRUNCATED_RESPONSE })).toBe('truncated');
  });

  test('what is no reply to this question', () => {
    expect(read(mx, { id: id + 1 })).toBe('foreign');
    expect(read(mx, { type: 'query' })).toBe('foreign');
    expect(read(mx, { questions: [{ ...mx, type: 'A' }] })).toBe('foreign');
    expect(read(mx, { questions: [{ ...mx, name: 'example.net' }] })).toBe('foreign');
    expect(read(mx, { questions: [mx, mx] })).toBe('foreign');
    expect(read(mx, { questions: [] })).toBe('foreign');
    expect(decodeResponse(Buffer.alloc(5), 0, mx)).toBe('foreign');
  });

  test('a question in another case, which is the same', () => {
    expect(read(mx, { questions: [{ ...mx, name: 'eXaMpLe.com' }] })).toMatchObject({ status: 'none' });
  });
});

describe('decodeResponse() survives', () => {
  const malformed = { status: 'failed', detail: 'a malformed reply' };
  const good = encode({
    type: 'response',
    id,
    questions: [mx],
    answers: [{ ...mx, ttl: 60, data: { preference: 10, exchange: 'mx.example.com' } }],
  });

  test('names with octets that no host name has', () => {
    const exchange = 'mx.example.com\r\nBcc: all';
    const reply = replyTo(mx, { ...mx, data: { preference: 1, exchange } });
    expect(reply).toEqual({ status: 'failed', detail: 'only records with names that no host can have' });
    const ok = { ...mx, data: { preference: 2, exchange: 'ok.example' } };
    expect(replyTo(mx, ok, { ...mx, data: { preference: 1, exchange } })).toMatchObject({
      records: [{ preference: 2, exchange: 'ok.example' }],
    });
  });

  test('a message cut anywhere, or with something behind it', () => {
    for (let end = 12; end < good.length; end += 1) {
      expect(decodeResponse(good.subarray(0, end), id, mx)).toEqual(malformed);
    }
    expect(decodeResponse(Buffer.concat([good, Buffer.from([0])]), id, mx)).toEqual(malformed);
  });

  test('more records than anybody needs', () => {
    const many = Buffer.from(good);
    many.writeUInt16BE(maxRecords, 10);
    expect(decodeResponse(many, id, mx)).toEqual(malformed);
  });

  test('a maze of compression pointers, without losing time', () => {
    const corridor = Buffer.alloc(0x3f00);
    const filler = { name: '.', type: 'NULL', data: corridor } as const;
    const head = encode({ type: 'response', id, questions: [mx], answers: [filler] });
    const start = head.length - corridor.length;
    // Each pointer leads to the one before it, down to an empty name; every further record begins at the last one.
    for (let at = start + 2; at < head.length; at += 2) head.writeUInt16BE(0xc000 | (at - 2), at);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc000 | (head.length - 2), 0);
    record.writeUInt16BE(10, 2);
    const maze = Buffer.concat([head, ...Array(maxRecords - 2).fill(record)]);
    maze.writeUInt16BE(maxRecords - 1, 6);
    const began = performance.now();
    expect(decodeResponse(maze, id, mx)).toMatchObject({ status: 'failed' });
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test('any bytes, and any change to a good reply', () => {
    const garbage = fc.uint8Array({ maxLength: 600 });
    const change = fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(garbage, (octets) => {
        const bytes = Buffer.concat([good.subarray(0, 12), octets]);
        expect(decodeResponse(bytes, id, mx)).toBeDefined();
      }),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(good);
        for (const [at, octet] of changes) bytes[at] = octet;
        expect(decodeResponse(bytes, id, mx)).toBeDefined();
      }),
    );
  });
});
