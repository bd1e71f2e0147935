/**
 * The trace of an application, which hands it in with its mail: a Traceparent field in the header (the name and the value of W3C Trace
 * Context §3.2, which knows HTTP alone), and a Tracestate beside it. They are nobody else's business, and go no further.
 */

import { fieldValue, findFields, type Header, parseHeader, removeFields } from '../mail/header.ts';
import { parseTraceparent } from '../util/traceparent.ts';

const fields = new Set(['traceparent', 'tracestate']);

export interface TakenTrace {
  /** The header section without these fields; the given octets where there were none. */
  octets: Buffer;
  /** Absent where there is none, or more than one, or what it says is no place in a trace (§3.2.2, §3.3.1.1). */
  traceparent?: string;
}

/** Of `octets`, whose fields are among those of `header`. */
export function takeTraceparent(header: Header, octets: Buffer): TakenTrace {
  if (!header.fields.some(({ name }) => fields.has(name))) return { octets };
  const rest = removeFields(parseHeader(octets), ({ name }) => fields.has(name));
  const [field, another] = findFields(header.fields, 'traceparent');
  const traceparent = field && another === undefined ? fieldValue(field).trim() : '';
  return { octets: rest, ...(parseTraceparent(traceparent) && { traceparent }) };
}
