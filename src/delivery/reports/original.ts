/** What goes back to a sender of the message that a report is about: its header, or all of it (RFC 3461 §4.3, RFC 8689 §5). */

import type { Original } from '../../dsn/report.ts';
import { findHeaderEnd } from '../../mail/header.ts';
import { NotConvertibleError, toSevenBit } from '../../mail/seven-bit.ts';
import { readContent } from '../../store/content.ts';
import { errorCode } from '../../store/errors.ts';
import type { Content, MessageRow } from '../../store/message.ts';

/** Octets of the message that are read for its header. */
const headerBytes = 64 * 1024;
/** Of a larger message only the header goes back, as RFC 3461 §6.2 allows. */
export const maxReturnedBytes = 50_000;

/** Whole only for RET=FULL, and never what asked for TLS all the way: the report may go another. */
export async function originalOf(message: MessageRow): Promise<Original> {
  const { requests, sizeBytes } = message;
  const isWanted = requests?.ret === 'full' && !requests.requireTls && sizeBytes <= maxReturnedBytes;
  const whole = isWanted ? await wholeOf(message) : undefined;
  const header = await headerOf(message);
  return whole === undefined ? { header } : { header, whole };
}

/** Undefined for what the disk has lost, and for what cannot be written in 7 bits: a report is written in them. */
async function wholeOf({ prefix, content }: MessageRow): Promise<Buffer | undefined> {
  try {
    const pieces = [prefix];
    for await (const chunk of readContent(content)) pieces.push(chunk);
    return toSevenBit(Buffer.concat(pieces));
  } catch (error) {
    if (error instanceof NotConvertibleError || errorCode(error) !== undefined) return undefined;
    throw error;
  }
}

/** The header section as it was sent, our own fields first; the body stays out of it. */
export async function headerOf({ prefix, content }: MessageRow): Promise<Buffer> {
  const head = await beginningOf(content);
  return Buffer.concat([prefix, head.subarray(0, findHeaderEnd(head) ?? headerBytes)]);
}

/** As much as can be read: that the disk has lost a message is all the more to be told (requirement "not" 7). */
async function beginningOf(content: Content): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of readContent(content)) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= headerBytes || findHeaderEnd(head) !== undefined) break;
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
  return head;
}
