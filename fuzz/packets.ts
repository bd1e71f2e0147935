/**
 * How the octets of one input come to whoever reads them: in packets, where a record separator (0x1e) ends each, and
 * every packet whole, octet by octet, or in pieces of chance. What is read must not depend on it.
 */

import { Random } from './random.ts';

const separator = 0x1e;

export const packetEnd = Buffer.of(separator);

/** As sockets hand them out, in octets. */
const largestPiece = 64 * 1024;

/** What lies between the separators; the last of `most` packets has all the rest. */
export function packetsOf(input: Buffer, most = Number.POSITIVE_INFINITY): Buffer[] {
  const packets: Buffer[] = [];
  let start = 0;
  for (
    let end = input.indexOf(separator);
    end !== -1 && packets.length < most - 1;
    end = input.indexOf(separator, start)
  ) {
    packets.push(input.subarray(start, end));
    start = end + 1;
  }
  return [...packets, input.subarray(start)];
}

/** Cuts a packet into the pieces that arrive. */
export type Cut = (packet: Buffer) => Buffer[];

export const whole: Cut = (packet) => inPieces(packet, () => largestPiece);
export const byteByByte: Cut = (packet) => inPieces(packet, () => 1);

/** The same pieces for the same octets. */
export const byChance: Cut = (packet) => {
  const random = new Random(packet.length, packet.subarray(0, 64).toString('latin1'));
  return inPieces(packet, () => 1 + random.length(200));
};

/** All ways, with names for reports; the first is what the others are compared with. */
export const cuts: readonly (readonly [name: string, cut: Cut])[] = [
  ['whole', whole],
  ['octet by octet', byteByByte],
  ['in pieces', byChance],
];

function inPieces(packet: Buffer, nextLength: () => number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0; start < packet.length; ) {
    const end = start + nextLength();
    pieces.push(packet.subarray(start, end));
    start = end;
  }
  return pieces;
}
