/** Reading a message's octets, wherever they lie. Knows nothing of what they mean. */

import { createReadStream } from 'node:fs';
import type { Content } from './store.ts';

/** Octets read from a spool file at once. */
const chunkBytes = 64 * 1024;

/** The size of the content, without the message's prefix. */
export function contentBytes(content: Content): number {
  return content.kind === 'inline' ? content.bytes.length : content.sizeBytes;
}

/** The octets from first to last in bounded chunks. Throws the system's error where the spool file cannot be read. */
export async function* readContent(content: Content): AsyncIterable<Buffer> {
  if (content.kind === 'inline') yield content.bytes;
  else yield* createReadStream(content.path, { highWaterMark: chunkBytes });
}
