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

/** Takes octets as they come and gives packets. */
export class PacketReader {
  #pieces: Buffer[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  receive(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
  }

  /** Throws a FilterError where no packet can be so long. */
  next(): Packet | undefined {
    if (this.#bytes < lengthBytes) return undefined;
    const length = this.#peekLength();
    if (length < 1 || length > maxPacketBytes)
      throw new FilterError('lied', `a packet of ${length} octets; 1 to ${maxPacketBytes} are possible`);
    if (this.#bytes < lengthBytes + length) return undefined;
    const all = this.#join();
    const end = lengthBytes + length;
    this.#pieces = end < all.length ? [all.subarray(end)] : [];
    this.#bytes = all.length - end;
    return {
      letter: all.toString('latin1', lengthBytes, lengthBytes + 1),
      data: all.subarray(lengthBytes + 1, end),
    };
  }

  #peekLength(): number {
    const [first] = this.#pieces;
    return (first !== undefined && first.length >= lengthBytes ? first : this.#join()).readUInt32BE();
  }

  #join(): Buffer {
    const [first] = this.#pieces;
    if (this.#pieces.length === 1 && first !== undefined) return first;
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [all];
    return all;
  }
}
