/** When an authority would have a certificate renewed: RFC 9773. Reads; to ask is for the client. */

import type { X509Certificate } from 'node:crypto';
import { isObject, nonsense, parseObject } from './acme-error.ts';

export interface RenewalWindow {
  /** Milliseconds since the epoch. */
  start: number;
  end: number;
  /** For people: why so. */
  explanation?: string;
}

export function readRenewalInfo(body: Buffer): RenewalWindow {
  const value = parseObject(body);
  const window = value?.suggestedWindow;
  const [start, end] = isObject(window) ? [timeOf(window.start), timeOf(window.end)] : [];
  if (start === undefined || end === undefined) throw nonsense('its advice when to renew has no window');
  // §4.2: as good as no answer.
  if (end <= start) throw nonsense('its window to renew in ends before it begins');
  const explanation = value?.explanationURL;
  return { start, end, ...(typeof explanation === 'string' && { explanation: explanation.slice(0, 300) }) };
}

/** RFC 3339 §5.6. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;

function timeOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' && timestamp.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}

/**
 * What a certificate is called there (RFC 9773 §4.1): the key identifier of its issuer and its serial number. Undefined where
 * it names no issuer's key.
 */
export function certificateId({ raw, serialNumber }: X509Certificate): string | undefined {
  const issuerKey = issuerKeyId(raw);
  if (issuerKey === undefined) return undefined;
  const digits = serialNumber.length % 2 === 0 ? serialNumber : `0${serialNumber}`;
  const serial = Buffer.from(digits, 'hex');
  // As its DER has it: with a zero in front where the first bit is set.
  const octets = (serial[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), serial]) : serial;
  return `${issuerKey.toString('base64url')}.${octets.toString('base64url')}`;
}

/** authorityKeyIdentifier (RFC 5280 §4.2.1.1): OID 2.5.29.35, an OCTET STRING of a SEQUENCE whose [0] is the identifier. */
const authorityKeyOid = Buffer.from('0603551d23', 'hex');

function issuerKeyId(raw: Buffer): Buffer | undefined {
  const at = raw.indexOf(authorityKeyOid);
  if (at < 0) return undefined;
  const octets = elementAt(raw, at + authorityKeyOid.length, 0x04);
  const sequence = octets && elementAt(octets, 0, 0x30);
  return sequence && elementAt(sequence, 0, 0x80);
}

/** The content of the element there, if it has this tag and fits. */
function elementAt(bytes: Buffer, at: number, tag: number): Buffer | undefined {
  const [found, first = 0] = bytes.subarray(at, at + 2);
  if (found !== tag) return undefined;
  const lengthBytes = first > 0x80 ? first - 0x80 : 0;
  if (lengthBytes > 2) return undefined;
  const start = at + 2 + lengthBytes;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const content = bytes.subarray(start, start + length);
  return content.length === length ? content : undefined;
}
