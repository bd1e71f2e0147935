/**
 * Milters for tests: what they say to each command is written down, and what they were told is kept. The same one can be
 * talked to in memory, and on a real loopback socket.
 *
 *     const milter = scriptedMilter({ answers: { R: ['c', 'y550 5.7.1 no\0'], E: ['qodd\0', 'c'] } });
 *
 * `answers` has, by the letter of a command, packets without their length: one for each time that it is said (the last
 * one again and again), or a list of them for one time. Nothing written is `c`, continue.
 */

import { createServer, type Socket } from 'node:net';
import { encodePacket, PacketReader } from '../filter/milter/packet.ts';
import { FilterError, type FilterStream } from '../filter/stream.ts';

/** `hang` says nothing, `close` ends the connection, a Buffer is sent as it is. */
export type MilterWord = string | Buffer | 'hang' | 'close';

export interface MilterScript {
  version?: number;
  actions?: number;
  protocol?: number;
  /** Names by number of the stage. */
  macros?: Readonly<Record<number, string>>;
  answers?: Readonly<Record<string, readonly (MilterWord | readonly MilterWord[])[]>>;
}

export interface ScriptedMilter {
  /** What it was told, packet by packet: `M <a@example.net>|SIZE=5|`; NUL is shown as `|`. */
  heard: string[];
  /** Hears a piece, and says what there is to say. */
  hear(bytes: Buffer): MilterWord[];
}

const silent = new Set(['D', 'A', 'Q']);

function scriptedMilter(script: MilterScript = {}): () => ScriptedMilter {
  const counts = new Map<string, number>();
  return () => {
    const reader = new PacketReader();
    const heard: string[] = [];
    return {
      heard,
      hear(bytes) {
        reader.receive(bytes);
        const said: MilterWord[] = [];
        for (let packet = reader.next(); packet !== undefined; packet = reader.next()) {
          const { letter, data } = packet;
          heard.push(letter === 'O' ? 'O' : `${letter} ${data.toString('latin1').replaceAll('\0', '|')}`);
          if (letter === 'O') said.push(...(script.answers?.O?.flat() ?? [options(script)]));
          else if (!silent.has(letter) && !isUnanswered(letter, script))
            said.push(...answersTo(letter, script, counts));
        }
        return said;
      },
    };
  };
}

/** SMFIP_NR_*. */
const unansweredBits: Readonly<Record<string, number>> = {
  L: 0x80,
  C: 0x1000,
  H: 0x2000,
  M: 0x4000,
  R: 0x8000,
  T: 0x1_0000,
  N: 0x4_0000,
  B: 0x8_0000,
};

const isUnanswered = (letter: string, { protocol = 0 }: MilterScript): boolean =>
  (protocol & (unansweredBits[letter] ?? 0)) !== 0;

function answersTo(
  letter: string,
  { answers = {} }: MilterScript,
  counts: Map<string, number>,
): readonly MilterWord[] {
  const list = answers[letter] ?? ['c'];
  const count = counts.get(letter) ?? 0;
  counts.set(letter, count + 1);
  return [list[Math.min(count, list.length - 1)] ?? 'c'].flat();
}

function options({ version = 6, actions = 0x1ff, protocol = 0, macros = {} }: MilterScript): Buffer {
  const words = Buffer.alloc(12);
  words.writeUInt32BE(version, 0);
  words.writeUInt32BE(actions, 4);
  words.writeUInt32BE(protocol, 8);
  const lists = Object.entries(macros).flatMap(([stage, names]) => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(Number(stage));
    return [number, Buffer.from(`${names}\0`)];
  });
  return encodePacket('O', words, ...lists);
}

const encoded = (word: string): Buffer => encodePacket(word.charAt(0), Buffer.from(word.slice(1)));

/** Four octets that stand for an index, in a word. */
export const index = (number: number): string => `\0\0\0${String.fromCharCode(number)}`;

export interface MemoryMilter extends ScriptedMilter {
  stream: FilterStream;
}

/** Talked to without a socket: what it does not say is a timeout at once. */
export function milterInMemory(script: MilterScript = {}): MemoryMilter {
  const milter = scriptedMilter(script)();
  let waiting: Buffer[] = [];
  let closed = false;
  const stream: FilterStream = {
    async write(pieces) {
      if (closed) throw new FilterError('down', 'it closed the connection');
      for (const word of milter.hear(Buffer.concat(pieces))) {
        if (word === 'close') closed = true;
        else if (word !== 'hang') waiting.push(Buffer.isBuffer(word) ? word : encoded(word));
      }
    },
    async read() {
      const bytes = Buffer.concat(waiting);
      waiting = [];
      if (bytes.length > 0) return bytes;
      throw closed
        ? new FilterError('down', 'it closed the connection')
        : new FilterError('timeout', 'no answer');
    },
    get hasInput() {
      return waiting.length > 0;
    },
    close() {
      closed = true;
    },
  };
  return { ...milter, stream };
}

export interface MilterServer extends AsyncDisposable {
  place: { host: string; port: number };
  /** One for each connection so far. */
  connections: ScriptedMilter[];
}

/** Listens on 127.0.0.1, on a free port. */
export async function milterServer(script: MilterScript = {}): Promise<MilterServer> {
  const make = scriptedMilter(script);
  const sockets = new Set<Socket>();
  const connections: ScriptedMilter[] = [];
  const server = createServer((socket) => {
    const milter = make();
    connections.push(milter);
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      for (const word of milter.hear(bytes)) {
        if (word === 'close') socket.destroy();
        else if (word !== 'hang') socket.write(Buffer.isBuffer(word) ? word : encoded(word));
      }
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
    });
  });
  return {
    place: { host: '127.0.0.1', port },
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
