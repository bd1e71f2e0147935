/** The thread of the reports' reader: one message in, what it says out. Its callers' side is reader.ts. */

import { type MessagePort, parentPort } from 'node:worker_threads';
import { readReport } from './read-report.ts';
import type { ReaderRequest } from './reader.ts';

function serve(port: MessagePort): void {
  port.on('message', ({ message, tokenField }: ReaderRequest) => {
    const octets = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    port.postMessage(readReport(octets, tokenField));
  });
}

if (parentPort !== null) serve(parentPort);
