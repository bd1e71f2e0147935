/** Reading a message's octets, wherever they lie, and only those that were accepted. Knows nothing of what they mean. */

import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { DamagedContentError, errorCode } from './errors.ts';
import type { Content, FileReader } from './message.ts';

/** Octets read from a spool file at once. */
const chunkBytes = 64 * 1024;
/** A file that is no longer is read at once. */
const wholeBytes = 128 * 1024;

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
 * The octets from first to last in bounded chunks. Throws DamagedContentError, at the end at the latest, where they are not
 * those that were accepted, or the disk has lost them or cannot read them; the system's error where a spool file cannot
 * be read for another reason.
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

/**
 * Reads a content to its end, for those who had better know before they begin to use it. Resolves to the error that
 * readContent() throws. What was accepted a moment ago, and is open still, is not read: it is as it was written.
 */
export async function findTrouble(content: Content): Promise<Error | undefined> {
  if (content.kind === 'inline' || (content.kind === 'spool' && content.file !== undefined)) return undefined;
  try {
    for await (const _ of readContent(content, { shared: true }));
    return undefined;
  } catch (error) {
    if (errorCode(error) === undefined || !(error instanceof Error)) throw error;
    return error;
  }
}

async function* readSpooled(
  content: Content & { kind: 'spool' },
  options: ReadOptions,
): AsyncIterable<Buffer> {
  const { path, sizeBytes, sum } = content;
  let length = 0;
  let found = 0;
  for await (const chunk of chunksOf(content, options)) {
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
  { path, file, sizeBytes }: Content & { kind: 'spool' },
  { shared = false }: ReadOptions,
): AsyncIterable<Buffer> {
  const reader = file?.openReader() ?? readerOf(await orDamaged(path, open(path)));
  try {
    let block = Buffer.alloc(0);
    for (let position = 0; position < sizeBytes; ) {
      const wanted = Math.min(sizeBytes - position, sizeBytes > wholeBytes ? chunkBytes : wholeBytes);
      if (!shared || block.length < wanted) block = Buffer.allocUnsafeSlow(wanted);
      const length = await orDamaged(path, fill(reader, block.subarray(0, wanted), position));
      if (length > 0) yield block.subarray(0, length);
      if (length < wanted) return;
      position += length;
    }
  } finally {
    await reader.close();
  }
}

/** Says what is damage: a file that is gone, and octets that the disk does not give back. */
async function orDamaged<T>(path: string, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (cause) {
    if (errorCode(cause) !== 'ENOENT' && errorCode(cause) !== 'EIO') throw cause;
    throw new DamagedContentError(`${path} cannot be read (${errorCode(cause)})`, { cause });
  }
}

const readerOf = (file: FileHandle): FileReader => ({
  read: async (block, position) => (await file.read(block, 0, block.length, position)).bytesRead,
  close: () => file.close(),
});

/** Reads on until the block is full or the file ends; resolves to how much there is. */
async function fill(reader: FileReader, block: Buffer, position: number): Promise<number> {
  let length = 0;
  for (let read = -1; read !== 0 && length < block.length; length += read)
    read = await reader.read(block.subarray(length), position + length);
  return length;
}
