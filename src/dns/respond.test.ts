import { decode, encode, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeResponse, edns, encodeQuery, type Question } from './message.ts';
import { respond } from './respond.ts';
import { zone } from './zone.ts';

const id = 7;
const example = zone({
  'example.com': { MX: [[10, 'mx.example.com']], TXT: ['x'.repeat(700)] },
  'big.example.com': { TXT: ['x'.repeat(3000)] },
});
const mx: Question<'MX'> = { name: 'example.com', type: 'MX' };
const txt: Question<'TXT'> = { name: 'example.com', type: 'TXT' };

function reply(query: Packet, transport: 'udp' | 'tcp' = 'udp') {
  return decode(respond(example, encode({ type: 'query', id, ...query }), transport) ?? Buffer.alloc(0));
}

const rcode = ({ flags = 0 }: Packet) => flags & 15;

describe('respond()', () => {
  test('answers with authority, repeating id, RD and the question as it was written', () => {
    const questions = [{ ...mx, name: 'eXample.com', class: 'IN' } as const];
    const packet = reply({ flags: 0x100, questions });
    expect(packet).toMatchObject({
      id,
      type: 'response',
      flag_aa: true,
      flag_rd: true,
      flag_ra: false,
      questions,
    });
    expect(packet.answers).toMatchObject([
      { name: 'example.com', data: { preference: 10, exchange: 'mx.example.com' } },
    ]);
  });

  test('is understood by decodeResponse()', () => {
    const query = encodeQuery(id, mx) ?? Buffer.alloc(0);
    expect(decodeResponse(respond(example, query, 'udp') ?? Buffer.alloc(0), id, mx)).toEqual({
      status: 'found',
      records: [{ preference: 10, exchange: 'mx.example.com' }],
      ttl: 300,
      authentic: false,
    });
  });

  test('says NXDOMAIN and NODATA with the SOA', () => {
    const nxdomain = reply({ questions: [{ name: 'no.example.com', type: 'A' }] });
    const nodata = reply({ questions: [{ name: 'example.com', type: 'A' }] });
    expect([rcode(nxdomain), rcode(nodata)]).toEqual([3, 0]);
    expect([nxdomain.authorities, nodata.authorities]).toMatchObject([[{ type: 'SOA' }], [{ type: 'SOA' }]]);
  });

  test('truncates to what the client takes by UDP, and not over TCP', () => {
    const big = { name: 'big.example.com', type: 'TXT' } as const;
    expect(reply({ questions: [txt] })).toMatchObject({ flag_tc: true, answers: [] });
    expect(reply({ questions: [txt], additionals: [edns] })).toMatchObject({ flag_tc: false, answers: [{}] });
    const greedy = { ...edns, udpPayloadSize: 65_000 };
    expect(reply({ questions: [big], additionals: [greedy] })).toMatchObject({ flag_tc: true, answers: [] });
    expect(reply({ questions: [big] }, 'tcp')).toMatchObject({ flag_tc: false, answers: [{}] });
  });

  test('speaks EDNS only to those who do', () => {
    expect(reply({ questions: [mx] }).additionals).toEqual([]);
    expect(reply({ questions: [mx], additionals: [edns] }).additionals).toMatchObject([{ type: 'OPT' }]);
  });

  test('refuses what it does not do', () => {
    expect(rcode(reply({ flags: 4 << 11, questions: [mx] }))).toBe(4);
    expect(rcode(reply({ questions: [] }))).toBe(1);
    expect(rcode(reply({ questions: [mx, mx] }))).toBe(1);
    expect(rcode(reply({ questions: [{ ...mx, class: 'CH' }] }))).toBe(5);
  });

  test('is silent towards replies and scraps', () => {
    expect(respond(example, encode({ type: 'response', id, questions: [mx] }), 'udp')).toBeUndefined();
    expect(respond(example, Buffer.alloc(11), 'udp')).toBeUndefined();
  });

  test('never throws, and gives garbage no more than a header', () => {
    const header = encodeQuery(id, mx)?.subarray(0, 12) ?? Buffer.alloc(0);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (octets, withHeader) => {
        const query = withHeader ? Buffer.concat([header, octets]) : Buffer.from(octets);
        const answer = respond(example, query, 'udp');
        expect(answer?.length ?? 0).toBeLessThanOrEqual(1232);
      }),
    );
  });
});
