/**
 * A name server that lies, each time in another way: the first label of the name asked for says how. Whatever it says
 * leads to one trap, where no mail must arrive but what is asked for by an honest name. RFC 5452.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Answer, Packet, Question } from 'dns-packet';
import { decode, encode, RECURSION_DESIRED, TRUNCATED_RESPONSE } from 'dns-packet';
import type { World } from '../../e2e/world.ts';

/** What a name server may do to a question. */
export const lies = {
  honest: 'answers as asked',
  silent: 'never answers',
  'wrong-id': "answers under another question's id",
  'wrong-question': 'answers another question',
  garbage: 'breaks off in the middle of an answer',
  truncated: 'points to TCP, and there says the same',
  'other-names': 'answers with records of other names',
  'alias-loop': 'leads in a circle of aliases',
} as const;

export type Lie = keyof typeof lies;

export const domainOf = (lie: Lie): string => `${lie}.example`;

const trap = '127.0.0.1';
const headerBytes = 12;

/** Listens on UDP and TCP at 127.0.0.1; resolves to the port. */
export async function startLiar(world: World): Promise<number> {
  const port = await world.port();
  const udp = createSocket('udp4');
  udp.on('message', (query, { port, address }) => {
    const reply = replyTo(query);
    if (reply !== undefined) udp.send(reply, port, address);
  });
  const tcp = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (framed: Buffer) => {
      const reply = replyTo(framed.subarray(2));
      if (reply !== undefined) socket.write(Buffer.concat([lengthOf(reply), reply]));
    });
  });
  udp.bind(port, '127.0.0.1');
  tcp.listen(port, '127.0.0.1');
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
  world.atEnd(async () => {
    udp.close();
    tcp.close();
  });
  return port;
}

function replyTo(query: Buffer): Buffer | undefined {
  const packet = decode(query);
  const [question] = packet.questions ?? [];
  if (question === undefined) return undefined;
  const honest = honestReply(packet, question);
  const [label] = question.name.split('.');
  switch (label) {
    case 'silent':
      return undefined;
    case 'wrong-id':
      return encode({ ...honest, id: ((packet.id ?? 0) + 1) % 2 ** 16 });
    case 'wrong-question':
      return encode(honestReply(packet, { ...question, name: 'elsewhere.example' }));
    case 'garbage':
      return encode(honest).subarray(0, headerBytes + 4);
    case 'truncated':
      return encode({ ...honest, flags: (honest.flags ?? 0) | TRUNCATED_RESPONSE, answers: [] });
    case 'other-names':
      return encode({ ...honest, answers: answersFor({ ...question, name: 'elsewhere.example' }) });
    case 'alias-loop':
      return encode({ ...honest, answers: circle(question.name) });
    default:
      return encode(honest);
  }
}

function honestReply({ id }: Packet, question: Question): Packet {
  const answers = answersFor(question);
  return {
    type: 'response',
    ...(id !== undefined && { id }),
    flags: RECURSION_DESIRED,
    questions: [question],
    answers,
  };
}

/** Everybody's mail goes to the trap. */
function answersFor({ name, type }: Question): Answer[] {
  if (type === 'MX') return [{ name, type, ttl: 1, data: { preference: 10, exchange: 'trap.example' } }];
  return type === 'A' ? [{ name, type, ttl: 1, data: trap }] : [];
}

function circle(name: string): Answer[] {
  const round = `round.${name}`;
  return [
    { name, type: 'CNAME', ttl: 1, data: round },
    { name: round, type: 'CNAME', ttl: 1, data: name },
  ];
}

/** RFC 1035 §4.2.2. */
function lengthOf(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return length;
}
