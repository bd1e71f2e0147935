/**
 * A message or a part of one (RFC 2045 §2.4): its header read, its body as offsets. What is within the body is
 * parts.ts's to find.
 */

import { type ContentType, parseContentType } from './content-type.ts';
import { fieldValue, findFields, type Header, parseHeader } from './header.ts';
import type { Span } from './multipart.ts';

export interface Entity {
  span: Span;
  header: Header;
  /** Where its body begins and ends. */
  body: Span;
  /** Undefined where it cannot be read. */
  type: ContentType | undefined;
  /** Lower-case; `7bit` where nothing is said (RFC 2045 §6.1). */
  encoding: string;
}

/** `defaultType` is what it is where its header does not say (RFC 2045 §5.2, RFC 2046 §5.1.5). */
export function readEntity(bytes: Buffer, span: Span, defaultType = 'text/plain'): Entity {
  const header = parseHeader(bytes.subarray(span.start, span.end));
  const [type] = findFields(header.fields, 'content-type').map(fieldValue);
  const [encoding] = findFields(header.fields, 'content-transfer-encoding').map(fieldValue);
  return {
    span,
    header,
    body: { start: span.start + header.bodyOffset, end: span.end },
    type: parseContentType(type ?? defaultType),
    encoding: (encoding ?? '7bit').toLowerCase(),
  };
}
