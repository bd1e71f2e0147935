import { expect, test } from 'vitest';
import { type DirectQuestion, decodeDirect, encodeDirect } from './direct.ts';
import { respond } from './respond.ts';
import { type ZoneReply, zone } from './zone.ts';

const data = zone({
  example: {
    SOA: { serial: 9 },
    NS: ['NS.example.'],
    MX: [[10, 'MX.example.']],
    TXT: ['a'.repeat(300)],
    AAAA: ['2001:DB8:0::1'],
    TLSA: [[3, 1, 1, 'AB']],
    SRV: [[0, 1, 465, 'mx.example']],
    CAA: [[128, 'issue', 'ca.example']],
  },
  'below.example': { NS: ['ns.below.example'], DS: [[1, 13, 2, 'cd']] },
});

function ask(question: DirectQuestion, more: Partial<ZoneReply> = {}) {
  const answering = { answer: (name: string, type: string) => ({ ...data.answer(name, type), ...more }) };
  const query = encodeDirect(5, question) ?? Buffer.alloc(0);
  const reply = decodeDirect(respond(answering, query, 'tcp') ?? Buffer.alloc(0), 5, question);
  if (typeof reply !== 'object') throw new Error(`a ${reply} reply`);
  return reply;
}

test.each([
  ['NS', ['ns.example']],
  ['MX', ['10 mx.example']],
  ['TXT', ['a'.repeat(300)]],
  ['AAAA', ['2001:db8::1']],
  ['TLSA', ['3 1 1 ab']],
  ['SRV', ['0 1 465 mx.example']],
  ['CAA', ['128 issue "ca.example"']],
  ['SOA', ['example postmaster.example 9 3600 600 86400 300']],
  ['DS', []],
] as const)('decodeDirect() shows %s', (type, texts) => {
  const { answers, authoritative, rcode } = ask({ name: 'example', type });
  expect({ texts: answers.map(({ text }) => text), authoritative, rcode }).toEqual({
    texts,
    authoritative: true,
    rcode: 'NOERROR',
  });
});

test('decodeDirect() shows how a text is cut, and a delegation', () => {
  expect(ask({ name: 'example', type: 'TXT' }).answers[0]?.strings?.map(({ length }) => length)).toEqual([
    255, 45,
  ]);
  expect(ask({ name: 'a.below.example', type: 'A' })).toMatchObject({
    authoritative: false,
    answers: [],
    authorities: [{ name: 'below.example', type: 'NS', text: 'ns.below.example' }],
  });
  expect(ask({ name: 'below.example', type: 'DS' }).answers).toMatchObject([{ text: '1 13 2 cd' }]);
});

test('decodeDirect() tells refusals, and what only the unchecked answer says', () => {
  expect(ask({ name: 'example', type: 'A' }, { refuses: true })).toMatchObject({
    rcode: 'REFUSED',
    authoritative: false,
  });
  expect(ask({ name: 'example', type: 'NS', recursive: true }, { isBogus: true }).rcode).toBe('SERVFAIL');
  expect(
    ask({ name: 'example', type: 'NS', recursive: true, unchecked: true }, { isBogus: true }).answers,
  ).toHaveLength(1);
});

test('decodeDirect() takes no other reply', () => {
  const question = { name: 'example', type: 'A' } as const;
  const query = encodeDirect(5, question) ?? Buffer.alloc(0);
  const reply = respond(data, query, 'udp') ?? Buffer.alloc(0);
  expect(decodeDirect(reply, 6, question)).toBeUndefined();
  expect(decodeDirect(reply, 5, { ...question, name: 'example.net' })).toBeUndefined();
  expect(decodeDirect(query, 5, question)).toBeUndefined();
  expect(decodeDirect(Buffer.alloc(3), 5, question)).toBeUndefined();
  expect(decodeDirect(Buffer.concat([reply, Buffer.alloc(1)]), 5, question)).toBe('malformed');
  expect(encodeDirect(1, { name: 'two words.example', type: 'A' })).toBeUndefined();
});
