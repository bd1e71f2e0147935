/** A message as filters are shown it. */

import type { FilterConfig } from '../../config/filter.ts';
import type { Header } from '../../mail/header.ts';
import { contentBytes, readContent } from '../../store/content.ts';
import type { Content } from '../../store/message.ts';

/** A message that has come in whole. */
export interface FilteredMessage {
  /** As it is kept, and its octets: what follows them in `content` is the body. */
  header: Header;
  headerBytes: number;
  content: Content;
}

/** Why a filter is not to see it; undefined where it is. */
export function tooLarge({ maxBytes }: FilterConfig, content: Content): string | undefined {
  const size = contentBytes(content);
  return size > maxBytes ? `${size} octets, of ${maxBytes} at most` : undefined;
}

export async function* bodyOf({ content, headerBytes }: FilteredMessage): AsyncIterable<Buffer> {
  let skip = headerBytes;
  for await (const chunk of readContent(content)) {
    if (skip < chunk.length) yield chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
  }
}
