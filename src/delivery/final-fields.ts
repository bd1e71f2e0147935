/** The fields that only final delivery writes: Return-Path (RFC 5321 §4.4), Delivered-To, by which loops are seen, and the verdict. */

import type { JobRow, MessageRow } from '../store/store.ts';

/** What the recipient's own policy made of the message; nobody else's business, so it is not in the message before. */
const verdictField = 'X-Posthorn-Verdict';

export function finalFields({ reversePath }: MessageRow, { recipient, verdict }: JobRow): Buffer {
  const judged = verdict === undefined ? '' : `${verdictField}: ${verdict}\r\n`;
  return Buffer.from(`Return-Path: <${reversePath}>\r\nDelivered-To: ${recipient}\r\n${judged}`);
}
