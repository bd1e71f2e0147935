/**
 * The packets of the milter protocol: a length of four octets, a letter, and what belongs to it, mostly texts that end in
 * NUL. Without sockets; whatever the octets, a packet or a FilterError.
 */

import { FilterError } from '../stream.ts';

export interface Packet {
  /** SMFIC_* or SMFIR_*. */
  letter: string;
  data: Buffer;
}

const lengthBytes = 4;

/** Of a packet from a filter: a body that it would put in place comes in pieces of 64 KiB; ours are no larger either. */
export const maxPacketBytes = 2 ** 20;

export function encodePacket(letter: string, ...data: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(lengthBytes + 1, letter.charCodeAt(0));
  head.writeUInt32BE(1 + data.reduce((sum, { length }) => sum + length, 0));
  return Buffer.concat([head, ...data]);
}

/** Texts that end in NUL each. One that is within is the end of what can be said. */
export const texts = (...values: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat(values.flatMap((value) => [untilNul(Buffer.from(value as string)), nul]));

const nul = Buffer.alloc(1);

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** The texts in `data`. Throws a FilterError where the last has no end, or there are not so many. */
export function readTexts(data: Buffer, count: number): string[] {
  const found: string[] = [];
  let start = 0;
  while (found.length < count) {
    const end = data.indexOf(0, start);
    if (end < 0) throw new FilterError('lied', `a text without an end in a packet of ${data.length} octets`);
    found.push(data.toString('utf8', start, end));
    start = end + 1;
  }
  return found;
}

/** Takes octets as they come and gives packets. The cost follows their octets, in however many pieces they come. */
export class PacketReader {
  #octets: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  receive(bytes: Buffer): void {
    if (this.#end + bytes.length > this.#octets.length) this.#makeRoom(bytes.length);
    bytes.copy(this.#octets, this.#end);
    this.#end += bytes.length;
  }

  /** Throws a FilterError where no packet can be so long. */
  next(): Packet | undefined {
    const there = this.#end - this.#start;
    if (there < lengthBytes) return undefined;
    const length = this.#octets.readUInt32BE(this.#start);
    if (length < 1 || length > maxPacketBytes)
      throw new FilterError('lied', `a packet of ${length} octets; 1 to ${maxPacketBytes} are possible`);
    if (there < lengthBytes + length) return undefined;
    const letterAt = this.#start + lengthBytes;
    this.#start = letterAt + length;
    const letter = this.#octets.toString('latin1', letterAt, letterAt + 1);
    // A copy: the room is used again.
    return { letter, data: Buffer.from(this.#octets.subarray(letterAt + 1, this.#start)) };
  }

  #makeRoom(wanted: number): void {
    const left = this.#octets.subarray(this.#start, this.#end);
    const size = Math.max(leastRoomBytes, 2 * left.length, left.length + wanted);
    const room = Buffer.allocUnsafe(size);
    left.copy(room);
    this.#octets = room;
    this.#end = left.length;
    this.#start = 0;
  }
}

const leastRoomBytes = 1024;
