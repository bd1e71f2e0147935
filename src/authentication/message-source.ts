/**
 * A message as the checks read it: the header section whole, up to a limit, and the body as a stream that is read
 * once, or not at all. It knows no field.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { findHeaderEnd } from '../mail/header.ts';

export type Message = Buffer | AsyncIterable<Buffer>;

export interface SplitMessage {
  /** With its empty line. Where the limit was reached: what was read of it. */
  header: Buffer;
  /** False where the header section is longer than the limit. */
  headerComplete: boolean;
  /** The octets after the header; to be read at most once. Ends early, by its reason, when `signal` is aborted. */
  body(signal: AbortSignal): AsyncGenerator<Buffer>;
  /** Closes the source, read to its end or not. */
  close(): Promise<void>;
}

const chunkOctets = 64 * 1024;
/** A body that is in memory already would else be hashed in one go, and nobody served meanwhile. */
const octetsPerTurn = 128 * 1024;

/** Reads `message` up to the end of its header section. Rejects where the source does. */
export async function splitMessage(message: Message, headerLimit: number): Promise<SplitMessage> {
  const source = (Buffer.isBuffer(message) ? chunksOf(message) : message)[Symbol.asyncIterator]();
  const { octets, headerEnd } = await readHeader(source, headerLimit);
  const header = octets.subarray(0, headerEnd ?? octets.length);
  return {
    header,
    headerComplete: header.length <= headerLimit,
    body: (signal) => readBody(octets.subarray(header.length), source, signal),
    close: async () => {
      await source.return?.();
    },
  };
}

async function* chunksOf(octets: Buffer): AsyncGenerator<Buffer> {
  for (let start = 0; start < octets.length; start += chunkOctets)
    yield octets.subarray(start, start + chunkOctets);
}

/** Chunks are joined when they have doubled what there is, so that a source of single octets costs no more than others. */
async function readHeader(source: AsyncIterator<Buffer>, limit: number) {
  let octets: Buffer = Buffer.alloc(0);
  let headerEnd: number | undefined;
  for (let done = false; !done && headerEnd === undefined && octets.length <= limit; ) {
    const added: Buffer[] = [];
    for (let length = 0; !done && length <= octets.length; ) {
      const next = await source.next();
      done = next.done === true;
      if (next.done) break;
      added.push(next.value);
      length += next.value.length;
    }
    octets = Buffer.concat([octets, ...added]);
    headerEnd = findHeaderEnd(octets);
  }
  return { octets, headerEnd };
}

async function* readBody(
  first: Buffer,
  source: AsyncIterator<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let sinceTurn = 0;
  for (let chunk: Buffer | undefined = first; chunk !== undefined; chunk = (await source.next()).value) {
    signal.throwIfAborted();
    sinceTurn += chunk.length;
    if (sinceTurn > octetsPerTurn) {
      sinceTurn = 0;
      await nextTurn();
    }
    yield chunk;
  }
}
