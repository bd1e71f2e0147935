/** The fields that only final delivery writes: Return-Path (RFC 5321 §4.4) and Delivered-To, by which loops are seen. */

import type { JobRow, MessageRow } from '../store/store.ts';

export function finalFields({ reversePath }: MessageRow, { recipient }: JobRow): Buffer {
  return Buffer.from(`Return-Path: <${reversePath}>\r\nDelivered-To: ${recipient}\r\n`);
}
