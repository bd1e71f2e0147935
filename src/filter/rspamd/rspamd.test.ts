import { describe, expect, test } from 'vitest';
import { fieldsText } from '../added-fields.ts';
import { FilterError } from '../stream.ts';
import { questionFields, readAnswer } from './rspamd.ts';

describe('readAnswer()', () => {
  test('takes the action, the score, the heaviest symbols, the words for the client and fields to add', () => {
    const symbols = Object.fromEntries(
      Array.from({ length: 30 }, (_, weight) => [
        `S${weight}`,
        { name: `S${weight}`, score: weight % 2 ? weight : -weight },
      ]),
    );
    const answer = readAnswer(
      JSON.stringify({
        action: 'reject',
        score: 15.5,
        required_score: 15,
        symbols,
        messages: { smtp_message: 'Gtube\r\npattern' },
        milter: {
          remove_headers: { 'X-Old': 0 },
          add_headers: { 'X-Spam': { value: 'Yes', order: 0 }, 'X-Two': ['a\nb', { value: 'c' }], 'X-No': 7 },
        },
      }),
    );
    const { fields, symbols: heaviest, notDone, ...rest } = answer;
    expect(rest).toEqual({ action: 'reject', score: 15.5, required: 15, message: 'Gtube pattern' });
    expect(heaviest.slice(0, 2)).toEqual([
      { name: 'S29', score: 29 },
      { name: 'S28', score: -28 },
    ]);
    expect(heaviest).toHaveLength(20);
    expect(notDone).toEqual(['remove the header field X-Old']);
    expect(fieldsText(fields)).toBe('X-Spam: Yes\r\nX-Two: a\r\n\tb\r\nX-Two: c\r\n');
  });

  test('does with little', () => {
    const answer = { action: 'no action', score: 0, required: 0, symbols: [], fields: [], notDone: [] };
    expect(readAnswer('{"action":"no action","score":0}')).toEqual(answer);
  });

  test.each([
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"action":1,"score":0}',
    '{"action":"reject","score":"1"}',
    '{"error":"busy"}',
    '{"action":"reject","score":1e999}',
    '{"action":"a","score":1,"milter":{"add_headers":{"a b":"x"}}}',
  ])('%s is a lie', (json) => expect(() => readAnswer(json)).toThrow(FilterError));
});

test('questionFields() are octets, without line ends, one Rcpt for each recipient', () => {
  const fields = questionFields({
    clientAddress: '192.0.2.1',
    helo: 'a\r\nUser: evil',
    from: 'ü@example.net',
    recipients: ['b@example.com', 'c@example.com'],
    queueId: 'Q1',
    hostname: 'mx.example.com',
  });
  expect(fields).toEqual([
    ['IP', '192.0.2.1'],
    ['Helo', 'a  User: evil'],
    ['From', 'Ã¼@example.net'],
    ['Rcpt', 'b@example.com'],
    ['Rcpt', 'c@example.com'],
    ['Queue-Id', 'Q1'],
    ['MTA-Name', 'mx.example.com'],
  ]);
});
