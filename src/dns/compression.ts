/**
 * Looks through a DNS message for mazes: pointers to pointers to pointers, in which every name of hundreds of records
 * makes the reader walk thousands of steps. Honest compression points at labels (RFC 1035 §4.1.4). Reads no names.
 */

/** Pointers in a row that are followed; a server that compresses a name of one pointer needs two. */
export const maxPointersInRow = 16;

const pointerBits = 0xc0;

/**
 * Whether somewhere more than `maxPointersInRow` pointers lead from one directly to the next. Any two octets that could
 * be a pointer count as one: in other data, so many of them do not meet by accident. One pass.
 */
export function isMaze(message: Buffer): boolean {
  const depths = new Uint8Array(message.length);
  for (let at = 0; at + 1 < message.length; at++) {
    const high = message[at] ?? 0;
    if (high < pointerBits) continue;
    const target = ((high & ~pointerBits) << 8) | (message[at + 1] ?? 0);
    const depth = target < at ? (depths[target] ?? 0) + 1 : 1;
    if (depth > maxPointersInRow) return true;
    depths[at] = depth;
  }
  return false;
}
