/** Reading a message's octets, wherever they lie, and only those that were accepted. Knows nothing of what they mean. */

import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import { DamagedContentError } from './errors.ts';
import type { Content } from './store.ts';

/** Octets read from a spool file at once. */
const chunkBytes = 64 * 1024;

/** The size of the content, without the message's prefix. */
export function contentBytes(content: Content): number {
  return content.kind === 'inline' ? content.bytes.length : content.sizeBytes;
}

/**
 * The octets from first to last in bounded chunks. Throws the system's error where the spool file cannot be read, and
 * DamagedContentError, at the end at the latest, where the octets are not those that were accepted.
 */
export async function* readContent(content: Content): AsyncIterable<Buffer> {
  switch (content.kind) {
    case 'inline':
      yield content.bytes;
      return;
    case 'spool':
      yield* readSpooled(content);
      return;
    case 'damaged':
      throw new DamagedContentError('its octets in the database are not those that were accepted');
  }
}

async function* readSpooled({ path, sizeBytes, sum }: Content & { kind: 'spool' }): AsyncIterable<Buffer> {
  let length = 0;
  let found = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
    length += chunk.length;
    if (sum !== undefined) found = crc32(chunk, found);
    yield chunk;
  }
  if (length !== sizeBytes) throw new DamagedContentError(`${path} has ${length} octets of ${sizeBytes}`);
  if (sum !== undefined && found !== sum)
    throw new DamagedContentError(`the octets of ${path} are not those that were accepted`);
}
