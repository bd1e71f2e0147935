/** What milters, rspamd and clamd say, right and nearly so. */

import { encodePacket, texts } from '../../src/filter/milter/packet.ts';
import type { Random } from '../random.ts';

const word = (random: Random): string =>
  random.pick([
    'X-Spam',
    'Subject',
    'x',
    '',
    'a b',
    'Ü',
    'From:',
    ' \r\n x',
    'a\r\nb',
    '\r\n\r\nbody',
    'x'.repeat(300),
  ]);

const index = (random: Random): Buffer => {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(random.pick([0, 1, 2, 7, 0xffff_ffff]));
  return octets;
};

const said: readonly ((random: Random) => Buffer)[] = [
  (random) => encodePacket(random.pick(['a', 'c', 'd', 'r', 't', 'p', 's', 'f', '4', '?'])),
  (random) =>
    encodePacket(
      'y',
      texts(random.pick(['550 5.7.1 no', '550', '451-4.7.1 a\r\n451 b', '200 x', '%%', '5501', ''])),
    ),
  (random) => encodePacket('h', texts(word(random), word(random))),
  (random) => encodePacket(random.pick(['i', 'm']), index(random), texts(word(random), word(random))),
  (random) => encodePacket(random.pick(['b', 'e', '+', '2', '-', 'q']), texts(word(random))),
  (random) => encodePacket(random.pick(['h', 'i', 'y', 'q']), random.octets(random.length(40))),
];

export const milterWords = (random: Random): Buffer =>
  Buffer.concat(Array.from({ length: 1 + random.length(30) }, () => random.pick(said)(random)));

export function milterOptions(random: Random): Buffer {
  const list = [index(random), texts(random.pick(['i {client_addr}', '', 'j,k', '{'.repeat(50)]))];
  const words = [6, random.pick([0, 0x1ff, 0xffff_ffff]), random.pick([0, 0x7f, 0x1f_ffff])].map((number) => {
    const octets = Buffer.alloc(4);
    octets.writeUInt32BE(number);
    return octets;
  });
  return Buffer.concat([...words, ...Array.from({ length: random.length(5) }, () => list).flat()]);
}

const value = (random: Random): unknown =>
  random.pick([1, 0.5, -3, null, true, word(random), [word(random)], { value: word(random) }, {}, []]);

export const rspamdAnswer = (random: Random): Buffer =>
  Buffer.from(
    JSON.stringify({
      action: random.pick<unknown>(['reject', 'no action', word(random), value(random)]),
      score: random.pick<unknown>([7, -1, value(random)]),
      required_score: value(random),
      symbols: random.pick<unknown>([
        { A: { score: 1 }, [word(random)]: { score: value(random) } },
        value(random),
      ]),
      messages: random.pick<unknown>([{ smtp_message: word(random) }, value(random)]),
      milter: random.pick<unknown>([{ add_headers: { [word(random)]: value(random) } }, value(random)]),
    }),
  );

export const clamdAnswer = (random: Random): Buffer =>
  Buffer.from(
    `${random.pick(['stream: ', '', 'stream:', '/tmp/x: '])}${word(random)}${random.pick([' FOUND', 'OK', ' ERROR', ''])}`,
  );
