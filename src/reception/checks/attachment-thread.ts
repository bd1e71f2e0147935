/** The thread of attachment-reader.ts: the place of a content in, what the message has attached out. */

import { type MessagePort, parentPort } from 'node:worker_threads';
import type { AttachmentReply, Spooled } from './attachment-reader.ts';
import { readAttachments } from './read-attachments.ts';

function serve(port: MessagePort): void {
  port.on('message', (content: Spooled) => void answer(content).then((reply) => port.postMessage(reply)));
}

async function answer(content: Spooled): Promise<AttachmentReply> {
  try {
    return { attachments: await readAttachments(content) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

if (parentPort !== null) serve(parentPort);
