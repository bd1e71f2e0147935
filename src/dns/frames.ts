/** DNS messages on a stream: each after its length in two octets. RFC 1035 §4.2.2, RFC 7766 §8. */

const lengthBytes = 2;

/** A message with its length before it, in one piece, as RFC 7766 §8 wants it written. */
export function frame(message: Buffer): Buffer {
  const framed = Buffer.alloc(lengthBytes + message.length);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, lengthBytes);
  return framed;
}

/**
 * Takes a stream's chunks, however cut, and gives the messages each completes. Gives undefined when a message is
 * announced that is longer than `maxMessageBytes`; nothing can be read from the stream after that.
 */
export function frameReader(maxMessageBytes: number): (chunk: Buffer) => Buffer[] | undefined {
  /** Chunks that wait for the rest of a message: joined when it is there, not at each of them. */
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let neededBytes = lengthBytes;
  return (chunk) => {
    waiting.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes < neededBytes) return [];
    const messages: Buffer[] = [];
    let rest = Buffer.concat(waiting);
    while (rest.length >= lengthBytes) {
      neededBytes = lengthBytes + rest.readUInt16BE(0);
      if (neededBytes - lengthBytes > maxMessageBytes) return undefined;
      if (rest.length < neededBytes) break;
      messages.push(rest.subarray(lengthBytes, neededBytes));
      rest = rest.subarray(neededBytes);
      neededBytes = lengthBytes;
    }
    waiting = [rest];
    waitingBytes = rest.length;
    return messages;
  };
}
