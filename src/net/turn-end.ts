/**
 * Writes to sockets, put off to the end of a turn of the event loop. On a busy server each write wakes somebody: one after
 * the other, when all sockets with data have been read, they wake a peer once for several answers, and the next turn has
 * more to read. What is written to one socket goes out as one.
 */

import type { Writable } from 'node:stream';

let corked: Writable[] = [];

/** Like `write()`: `writableNeedDrain` counts it. What is too much to wait goes out at once, with all before it. */
export function writeAtTurnEnd(socket: Writable, ...pieces: readonly (Buffer | string)[]): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    corked.push(socket);
    if (corked.length === 1) setImmediate(uncorkAll);
  }
  for (const piece of pieces) socket.write(piece);
  if (socket.writableNeedDrain) socket.uncork();
}

function uncorkAll(): void {
  const sockets = corked;
  corked = []; // what is written from here on waits for the next turn's end
  for (const socket of sockets) socket.uncork();
}
