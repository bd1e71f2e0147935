/** DNS messages: replies that we asked for, questions to the playground's server, and their frames over TCP. */

import { encode } from 'dns-packet';
import { frame, frameReader } from '../../src/dns/frames.ts';
import { decodeResponse, maxRecords } from '../../src/dns/message.ts';
import { isHarmlessName } from '../../src/dns/name.ts';
import type { Answer, RecordType, RecordTypes } from '../../src/dns/resolver.ts';
import { respond } from '../../src/dns/respond.ts';
import { zone } from '../../src/dns/zone.ts';
import { byteByByte, cuts, whole } from '../packets.ts';
import type { Random } from '../random.ts';
import { demand, demandSame, type Target, Violation } from './target.ts';

const name = 'example.org';
const types: readonly RecordType[] = ['A', 'AAAA', 'MX', 'TXT', 'CNAME', 'PTR', 'TLSA'];

const world = zone({
  'example.org': { A: ['192.0.2.1'], MX: [[10, 'mx.example.org']], TXT: ['v=spf1 -all', 'x'.repeat(600)] },
  'alias.example.org': { CNAME: 'example.org' },
  'loop.example.org': { CNAME: 'loop.example.org' },
  'mx.example.org': { AAAA: ['2001:db8::1'] },
  '_25._tcp.mx.example.org': { TLSA: [[3, 1, 1, 'aa']] },
});

const ttl = 60;

function replies(): Buffer[] {
  const reply = (type: RecordType, answers: Parameters<typeof encode>[0]['answers'] = []) =>
    encode({ type: 'response', id: 0, questions: [{ type, name }], answers });
  return [
    reply('A', [{ name, type: 'A', ttl, data: '192.0.2.1' }]),
    reply('AAAA', [
      { name, type: 'CNAME', ttl, data: 'a.example' },
      { name: 'a.example', type: 'AAAA', ttl, data: '2001:db8::1' },
    ]),
    reply('MX', [{ name, type: 'MX', ttl, data: { preference: 10, exchange: 'mx.example.org' } }]),
    reply('TXT', [{ name, type: 'TXT', ttl, data: [Buffer.from('v=spf1 -all')] }]),
    reply('PTR', [{ name, type: 'CNAME', ttl, data: name }]),
    reply('TLSA', [
      {
        name,
        type: 'TLSA',
        ttl,
        data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.of(1) },
      },
    ]),
    encode({
      type: 'response',
      id: 0,
      questions: [{ type: 'A', name }],
      authorities: [
        {
          name,
          type: 'SOA',
          ttl,
          data: { mname: name, rname: name, serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 },
        },
      ],
    }),
  ];
}

const queries = (): Buffer[] =>
  ['example.org', 'alias.example.org', 'loop.example.org', '.', 'nowhere.example'].map((asked) =>
    encode({ type: 'query', id: 1, questions: [{ type: 'A', name: asked }] }),
  );

/** The most that TCP can bring: pointers to pointers to pointers, and records that all begin at their end. */
function pointerChains(random: Random): Buffer {
  const records = random.below(maxRecords);
  const header = Buffer.from('000080000001000000000000', 'hex');
  header.writeUInt16BE(records, random.pick([6, 8, 10]));
  const question = Buffer.from('\x07example\x03org\0\0\x01\0\x01', 'latin1');
  const chain: Buffer[] = [pointer(12)];
  let at = header.length + question.length + 12;
  for (const length = at + random.below(16_000); at < length; at += 2) chain.push(pointer(at - 2));
  const record = Buffer.concat([
    pointer(Math.min(at - 2, 0x3ffe)),
    Buffer.from('\0\x01\0\x01\0\0\0\x3c\0\x04\x01\x02\x03\x04', 'latin1'),
  ]);
  const opaque = Buffer.concat([
    Buffer.from('\0\0\x0a\0\x01\0\0\0\0\0', 'latin1'),
    lengthOf(chain),
    ...chain,
  ]);
  return Buffer.concat([header, question, opaque, ...Array(Math.max(0, records - 1)).fill(record)]);
}

function pointer(offset: number): Buffer {
  return Buffer.of(0xc0 | (offset >> 8), offset & 0xff);
}

function lengthOf(pieces: readonly Buffer[]): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return Buffer.of(length >> 8, length & 0xff);
}

/** The input as the reply to each question: id and QR bit are set, or hardly any would be looked at. */
function readReply(input: Buffer): void {
  const bytes = Buffer.from(input.subarray(0, 65_535));
  if (bytes.length > 3) bytes.writeUInt16BE(0, 0);
  if (bytes.length > 3) bytes.writeUInt8((bytes[2] ?? 0) | 0x80, 2);
  // Asking it for each type takes as long as there are types, which says nothing about large ones.
  for (const type of bytes.length > 1000 ? types.slice(0, 1) : types) {
    const reading = decodeResponse(bytes, 0, { name, type });
    if (typeof reading !== 'string') checkAnswer(type, reading);
  }
}

function checkAnswer(type: RecordType, answer: Answer<RecordTypes[RecordType]>): void {
  if (answer.status === 'failed') return;
  demand(answer.ttl >= 0 && answer.ttl < 2 ** 31, `a TTL of ${answer.ttl}`);
  if (answer.status !== 'found') return;
  demand(
    answer.records.length > 0 && answer.records.length <= maxRecords,
    `${answer.records.length} records`,
  );
  for (const record of answer.records) {
    const host =
      type === 'PTR' || type === 'CNAME'
        ? record
        : typeof record === 'object' && 'exchange' in record
          ? record.exchange
          : '';
    demand(
      typeof host === 'string' && (host === '' || isHarmlessName(host)),
      `a name that is not to be passed on: ${host}`,
    );
  }
}

export const dnsReplies: Target = {
  name: 'dns-reply',
  seeds: replies,
  generate: pointerChains,
  read: readReply,
  places: [(run) => Buffer.concat([Buffer.from('000080000001000100000000', 'hex'), run])],
};

function readQuery(input: Buffer): void {
  for (const transport of ['udp', 'tcp'] as const) {
    const reply = respond(world, input, transport);
    demand(
      reply === undefined || reply.length <= (transport === 'udp' ? 1232 : 65_535),
      'a reply that is too long',
    );
  }
}

export const dnsQueries: Target = { name: 'dns-query', seeds: queries, read: readQuery };

function framesIn(pieces: readonly Buffer[]): string[] {
  const reader = frameReader(65_535);
  const messages: string[] = [];
  for (const piece of pieces) {
    const read = reader(piece);
    if (read === undefined) throw new Violation('no frame is too long for a limit of 65,535 octets');
    messages.push(...read.map((message) => message.toString('latin1')));
  }
  return messages;
}

export const dnsFrames: Target = {
  name: 'dns-frames',
  seeds: () => [Buffer.concat(queries().map(frame)), Buffer.concat(replies().map(frame))],
  read: (input) => framesIn(whole(input)),
  check(input) {
    const first = framesIn(whole(input));
    for (const [way, cut] of cuts) demandSame(`what is read ${way}`, first, framesIn(cut(input)));
  },
  trickle: (input) => framesIn(byteByByte(input)),
};
