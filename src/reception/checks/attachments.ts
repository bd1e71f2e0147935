/**
 * Finds `attachments`: what a message has attached, by name and type. Small messages are looked at where they are, which takes
 * some milliseconds at most; large ones on a thread of its own.
 */

import { contentBytes } from '../../store/content.ts';
import type { Clock } from '../../util/clock.ts';
import { createAttachmentReader } from './attachment-reader.ts';
import type { FactSource } from './fact-source.ts';
import { readAttachments } from './read-attachments.ts';

/** Octets of a message; larger ones are for the thread. */
const largeBytes = 256 * 1024;

export function attachmentSource({ clock }: { clock: Clock }): FactSource {
  const reader = createAttachmentReader(clock);
  return {
    finds: ['attachments'],
    async ofMessage({ content }) {
      const isLarge = content.kind === 'spool' && contentBytes(content) > largeBytes;
      return { attachments: await (isLarge ? reader.read(content) : readAttachments(content)) };
    },
    stop: () => reader.stop(),
  };
}
