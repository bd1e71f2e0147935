/** What filters say: they are the operator's own, and still no octets of theirs may break more than the fact they become. */

import { type AddedField, fieldsText } from '../../src/filter/added-fields.ts';
import { readAnswer as readClamd } from '../../src/filter/clamd/clamd.ts';
import { readSaid } from '../../src/filter/milter/answers.ts';
import { apply, maxAddedBytes, noChanges } from '../../src/filter/milter/changes.ts';
import { readOptions } from '../../src/filter/milter/options.ts';
import { PacketReader } from '../../src/filter/milter/packet.ts';
import { readAnswer as readRspamd } from '../../src/filter/rspamd/rspamd.ts';
import { FilterError } from '../../src/filter/stream.ts';
import { parseHeader } from '../../src/mail/header.ts';
import { replyLines } from '../../src/smtp/reply.ts';
import { clamdAnswer, milterOptions, milterWords, rspamdAnswer } from '../grammar/filters.ts';
import { byteByByte, type Cut, cuts, whole } from '../packets.ts';
import { between, demand, demandSame, type Target } from './target.ts';

/** What is understood, and why no more is. */
function orLie<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof FilterError) return error.message;
    throw error;
  }
}

function hear(input: Buffer, cut: Cut) {
  const reader = new PacketReader();
  const changes = noChanges([{ name: 'X-Before', value: ' 1' }], ['subject', 'x-spam']);
  const answers: unknown[] = [];
  const lie = orLie(() => {
    for (const piece of cut(input)) {
      reader.receive(piece);
      for (let packet = reader.next(); packet !== undefined; packet = reader.next()) {
        const said = readSaid(packet);
        if (said.kind === 'change') apply(changes, said.change);
        else answers.push(said);
      }
    }
  });
  return { changes, answers, lie };
}

/** Whatever was asked for, the header is one, and the body begins where it began. */
function checkFields(fields: readonly AddedField[]): void {
  const text = fieldsText(fields);
  const { fields: read, malformed, bodyOffset } = parseHeader(Buffer.from(`${text}\r\n`));
  demand(malformed === undefined, 'a line that is no header field');
  demand(read.length === fields.length, 'one field is read as several');
  demand(bodyOffset === Buffer.byteLength(text) + 2, 'a field ends the header');
  demand(!/\r(?!\n)|(?<!\r)\n|\0/.test(text), 'a bare CR, LF or a NUL');
}

function checkMilter(input: Buffer): void {
  const first = hear(input, whole);
  for (const [name, cut] of cuts) demandSame(`what is heard ${name}`, first, hear(input, cut));
  checkFields(first.changes.fields);
  demand(Buffer.byteLength(fieldsText(first.changes.fields)) <= maxAddedBytes, 'too much is added');
  demand(first.changes.notDone.length <= 11, 'too much is told');
  for (const said of first.answers) {
    if (typeof said !== 'object' || said === null || !('answer' in said)) continue;
    const { answer } = said as { answer: { reply?: Parameters<typeof replyLines>[0] } }; // a Said of this kind
    for (const line of answer.reply ? replyLines(answer.reply) : [])
      demand(
        /^[45]\d\d[- ][45]\.\d+\.\d+ [\x20-\x7e]+$/.test(line) && line.length <= 510,
        'not a line of a reply',
      );
  }
}

const milter: Target = {
  name: 'milter-words',
  seeds: () => ['00000001630000000179', '0000000b79353530206e6f0000'].map((hex) => Buffer.from(hex, 'hex')),
  generate: milterWords,
  read: (input) => hear(input, whole),
  check: checkMilter,
  trickle: (input) => hear(input, byteByByte),
  places: [between('\0\0\xff\xffhX-Long\0'), between('\0\0\xff\xffy550 ')],
};

const options: Target = {
  name: 'milter-options',
  seeds: () => [Buffer.from('00000006000001ff0000007f000000026900', 'hex')],
  generate: milterOptions,
  read: (input) => orLie(() => readOptions(input)),
};

const rspamd: Target = {
  name: 'rspamd-answer',
  seeds: () => [Buffer.from('{"action":"reject","score":15,"symbols":{"GTUBE":{"score":15}}}')],
  generate: rspamdAnswer,
  read: (input) => orLie(() => readRspamd(input.toString())),
  check(input) {
    const answer = orLie(() => readRspamd(input.toString()));
    if (typeof answer === 'string') return;
    checkFields(answer.fields);
    demand(answer.symbols.length <= 20 && answer.action.length <= 60, 'too much is kept');
  },
};

const clamd: Target = {
  name: 'clamd-answer',
  seeds: () =>
    ['stream: OK', 'stream: X FOUND', 'INSTREAM size limit exceeded. ERROR'].map((text) => Buffer.from(text)),
  generate: clamdAnswer,
  read: (input) => orLie(() => readClamd(input.toString())),
  check(input) {
    const answer = orLie(() => readClamd(input.toString()));
    if (typeof answer === 'object') demand(answer.malware.length <= 200, 'too long a name is kept');
  },
  places: [between('stream: ', ' FOUND')],
};

export const filters: readonly Target[] = [milter, options, rspamd, clamd];
