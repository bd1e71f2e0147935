/** Finds `attachments`: what a message has attached, by name and type. Large messages are looked at one at a time. */

import { attachmentsOf } from '../../mail/attachments.ts';
import { contentBytes, readContent } from '../../store/content.ts';
import type { Content } from '../../store/store.ts';
import { turnstile } from '../../util/turnstile.ts';
import type { FactSource } from './fact-source.ts';

/** Octets of a message that are looked at. */
export const maxScanned = 32 * 2 ** 20;
/** Larger ones wait for each other: each is in memory while it is looked at. */
const largeBytes = 2 ** 20;

export function attachmentSource(): FactSource {
  const large = turnstile(1);
  return {
    finds: ['attachments'],
    async ofMessage({ content }) {
      const isLarge = contentBytes(content) > largeBytes;
      if (isLarge) await large.enter();
      try {
        const attachments = attachmentsOf(await beginningOf(content));
        const isCut = contentBytes(content) > maxScanned;
        return {
          attachments: isCut ? { cut: `what is behind ${maxScanned} octets`, ...attachments } : attachments,
        };
      } finally {
        if (isLarge) large.leave();
      }
    },
  };
}

async function beginningOf(content: Content): Promise<Buffer> {
  if (content.kind === 'inline') return content.bytes;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of readContent(content)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= maxScanned) break;
  }
  return Buffer.concat(chunks, Math.min(length, maxScanned));
}
