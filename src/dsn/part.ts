/**
 * The MIME parts of our own reports (RFC 2045, RFC 2046): as few encodings as will do, so that a report can be read raw
 * and passes servers without 8BITMIME.
 */

import { createHash } from 'node:crypto';
import { withCrlf } from '../mail/line-ends.ts';
import { encodeQuotedPrintable } from '../mail/quoted-printable.ts';

export interface Part {
  contentType: string;
  /** Line ends of any kind; they become CRLF. */
  content: string | Buffer;
}

/** A line of more than 998 characters (RFC 5322 §2.1.1). Looked for at the beginnings of lines only: in linear time. */
const longLine = /^[^\r\n]{999}/m;

/** ASCII text without controls, its lines at most 998 characters long, needs no encoding. */
export function isSevenBit(text: string): boolean {
  return !/[^\t\r\n\x20-\x7e]/.test(text) && !longLine.test(text);
}

/** Header fields and body of a part, encoded as quoted-printable where 7bit will not do. */
export function renderPart({ contentType, content }: Part): string {
  const octets = withCrlf(Buffer.from(content));
  const text = octets.toString('latin1');
  const plain = isSevenBit(text);
  const encoding = plain ? '7bit' : 'quoted-printable';
  const body = plain ? text : encodeQuotedPrintable(octets).toString('latin1');
  return `Content-Type: ${contentType}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`;
}

/** Parts between boundaries that none of them holds: the boundary is a digest of what it separates. */
export function renderMultipart(parts: readonly Part[]): { boundary: string; body: string } {
  const rendered = parts.map(renderPart);
  const digest = createHash('sha256').update(rendered.join('')).digest('hex');
  const boundary = `=_${digest.slice(0, 32)}`;
  const body = rendered.map((part) => `--${boundary}\r\n${part}\r\n`).join('');
  return { boundary, body: `${body}--${boundary}--\r\n` };
}
