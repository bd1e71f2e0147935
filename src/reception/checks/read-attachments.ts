/** What a message has attached, from its content. It may take a while: large ones are read by attachment-reader.ts. */

import { type Attachments, attachmentsOf } from '../../mail/attachments.ts';
import { contentBytes, readContent } from '../../store/content.ts';
import type { Content } from '../../store/message.ts';

/** Octets of a message that are looked at. */
export const maxScanned = 32 * 2 ** 20;

/** Rejects as readContent() does. */
export async function readAttachments(content: Content): Promise<Attachments> {
  const attachments = attachmentsOf(await beginningOf(content));
  return contentBytes(content) > maxScanned
    ? { cut: `what is behind ${maxScanned} octets`, ...attachments }
    : attachments;
}

async function beginningOf(content: Content): Promise<Buffer> {
  if (content.kind === 'inline') return content.bytes;
  const beginning = Buffer.allocUnsafeSlow(Math.min(contentBytes(content), maxScanned));
  let length = 0;
  for await (const chunk of readContent(content, { shared: true })) {
    length += chunk.copy(beginning, length);
    // What comes behind the beginning is not read. Where there is nothing, the reader's own end says whether all is sound.
    if (length === beginning.length && contentBytes(content) > length) break;
  }
  return beginning;
}
