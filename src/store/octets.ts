/** A message's octets as they leave: our own fields, then the content; inline content without a stream around it. */

import { readContent } from '../store/content.ts';
import type { MessageRow } from '../store/store.ts';

/** CRLF line ends, not dot-stuffed. Rejects with the system's error where the spool file cannot be read. */
export function octetsOf(
  { prefix, content }: MessageRow,
  ...first: Buffer[]
): Iterable<Buffer> | AsyncIterable<Buffer> {
  if (content.kind === 'inline') return [...first, prefix, content.bytes];
  return spooled([...first, prefix], readContent(content));
}

async function* spooled(fields: Buffer[], content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield* fields;
  yield* content;
}
