/**
 * Writes the DER (X.690) that certificates and requests for them are made of (RFC 5280, RFC 2986). Knows structures and no
 * meanings; to read, there is node:crypto.
 */

export function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), body]);
}

export const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts);

export const set = (...parts: Buffer[]): Buffer => der(0x31, ...parts);

export const octetString = (content: Buffer): Buffer => der(0x04, content);

export const isTrue: Buffer = der(0x01, Buffer.of(0xff));

export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));

export const explicit = (number: number, part: Buffer): Buffer => der(0xa0 + number, part);

/** Of octets whose first bit is not set. */
export const integer = (octets: Buffer): Buffer => der(0x02, octets);

/** Of whole octets. */
export const bitString = (octets: Buffer): Buffer => der(0x03, Buffer.of(0), octets);

/** For dates before 2050 (RFC 5280 §4.1.2.5.1). */
export function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+Z$|\D/g, '');
  return der(0x17, Buffer.from(`${digits.slice(2)}Z`));
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Seven bits an octet, the first bit set on all but the last. */
function base128(value: number): number[] {
  const octets = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) octets.unshift((rest & 0x7f) | 0x80);
  return octets;
}

/** RFC 7468. */
export function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
