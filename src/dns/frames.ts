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
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    const messages: Buffer[] = [];
    while (pending.length >= lengthBytes) {
      const end = lengthBytes + pending.readUInt16BE(0);
      if (end - lengthBytes > maxMessageBytes) return undefined;
      if (pending.length < end) break;
      messages.push(pending.subarray(lengthBytes, end));
      pending = pending.subarray(end);
    }
    return messages;
  };
}
