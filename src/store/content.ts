/** Reading a message's octets, wherever they lie, and only those that were accepted. Knows nothing of what they mean. */

import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { DamagedContentError } from './errors.ts';
import type { Content } from './store.ts';

/** Octets read from a spool file at once. */
const chunkBytes = 128 * 1024;

/** The size of the content, without the message's prefix. */
export function contentBytes(content: Content): number {
  return content.kind === 'inline' ? content.bytes.length : content.sizeBytes;
}

export interface ReadOptions {
  /**
   * All chunks of a spool file lie in the same memory, so that a large message leaves no garbage: each must be used up
   * before the next is asked for.
   */
  shared?: boolean;
}

/**
 * The octets from first to last in bounded chunks. Throws the system's error where the spool file cannot be read, and
 * DamagedContentError, at the end at the latest, where the octets are not those that were accepted.
 */
export async function* readContent(content: Content, options: ReadOptions = {}): AsyncIterable<Buffer> {
  switch (content.kind) {
    case 'inline':
      yield content.bytes;
      return;
    case 'spool':
      yield* readSpooled(content, options);
      return;
    case 'damaged':
      throw new DamagedContentError('its octets in the database are not those that were accepted');
  }
}

async function* readSpooled(
  { path, sizeBytes, sum }: Content & { kind: 'spool' },
  options: ReadOptions,
): AsyncIterable<Buffer> {
  let length = 0;
  let found = 0;
  for await (const chunk of chunksOf(path, sizeBytes, options)) {
    length += chunk.length;
    if (sum !== undefined) found = crc32(chunk, found);
    yield chunk;
  }
  if (length !== sizeBytes) throw new DamagedContentError(`${path} has ${length} octets of ${sizeBytes}`);
  if (sum !== undefined && found !== sum)
    throw new DamagedContentError(`the octets of ${path} are not those that were accepted`);
}

/** All of the same size but the last. */
async function* chunksOf(
  path: string,
  sizeBytes: number,
  { shared = false }: ReadOptions,
): AsyncIterable<Buffer> {
  const file = await open(path);
  try {
    let block = Buffer.alloc(0);
    for (let rest = sizeBytes; rest > 0; ) {
      const wanted = Math.min(rest, chunkBytes);
      if (!shared || block.length < wanted) block = Buffer.allocUnsafeSlow(wanted);
      const length = await fill(file, block.subarray(0, wanted));
      if (length > 0) yield block.subarray(0, length);
      if (length < wanted) return;
      rest -= length;
    }
  } finally {
    await file.close();
  }
}

/** Reads on until the block is full or the file ends; resolves to how much there is. */
async function fill(file: FileHandle, block: Buffer): Promise<number> {
  let length = 0;
  for (let read = -1; read !== 0 && length < block.length; length += read)
    read = (await file.read(block, length, block.length - length)).bytesRead;
  return length;
}
