/**
 * A place in a trace as text: `00-TRACE-SPAN-FLAGS`, in hexadecimal (W3C Trace Context §3.2). What `tracestate` would say beside it
 * is for the vendors of SDKs, and is not kept.
 */

export interface TracePlace {
  /** 16 octets in lower-case hexadecimal, not all zero. */
  traceId: string;
  /** 8 octets, likewise. */
  spanId: string;
  /** One octet; bit 0: sampled. */
  flags: number;
}

const [version, traceId, spanId, flags] = ['[0-9a-f]{2}', '[0-9a-f]{32}', '[0-9a-f]{16}', '[0-9a-f]{2}'];
const syntax = new RegExp(`^(${version})-(${traceId})-(${spanId})-(${flags})(-.*)?$`);

/** Undefined for what is none, or names nothing: what is invalid is ignored (§3.2.2). Later versions may say more behind it. */
export function parseTraceparent(text: string): TracePlace | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = syntax.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

export const formatTraceparent = ({ traceId, spanId, flags }: TracePlace): string =>
  `00-${traceId}-${spanId}-${(flags & 0xff).toString(16).padStart(2, '0')}`;
