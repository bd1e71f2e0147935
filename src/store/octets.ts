/** A message's octets as they leave: header fields of ours, then the content; inline content without a stream around it. */

import { type ReadOptions, readContent } from './content.ts';
import type { Content } from './message.ts';

/**
 * CRLF line ends, not dot-stuffed. Rejects with the system's error where the spool file cannot be read, and with
 * DamagedContentError where it is not what was accepted.
 */
export function octetsOf(
  fields: readonly Buffer[],
  content: Content,
  options?: ReadOptions,
): Iterable<Buffer> | AsyncIterable<Buffer> {
  if (content.kind === 'inline') return [...fields, content.bytes];
  return joined(fields, readContent(content, options));
}

async function* joined(fields: readonly Buffer[], content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield* fields;
  yield* content;
}
