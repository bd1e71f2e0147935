/**
 * A message with 8-bit content as one for receivers without 8BITMIME (RFC 6152 §3): parts that hold 8-bit octets are
 * written in quoted-printable or base64, whichever is shorter, with their charset and all their other fields; the rest
 * stays octet for octet, and what is signed or encrypted is not touched (RFC 1847 §2.1). Breaks every signature over the
 * message: who calls this signs anew. Works on a message in memory; who calls bounds it.
 */

import { isAscii } from 'node:buffer';
import type { ContentType } from './content-type.ts';
import { type Entity, readEntity } from './entity.ts';
import { findFields } from './header.ts';
import { findParts, type Span } from './multipart.ts';
import { encodeQuotedPrintable } from './quoted-printable.ts';

/** Multiparts and messages within one another; and parts in all. Beyond, the message is left alone. */
export const maxDepth = 20;
export const maxParts = 10_000;

/** Why a message cannot be written in 7 bits, in words that end "it cannot be converted, since …". */
export class NotConvertibleError extends Error {
  override readonly name = 'NotConvertibleError';
}

/** CRLF line ends in and out. Throws a NotConvertibleError. What is 7-bit already comes back as it is. */
export function toSevenBit(message: Buffer): Buffer {
  if (isAscii(message)) return message;
  return Buffer.concat(new Conversion(message).message({ start: 0, end: message.length }, 0));
}

const plainText = 'text/plain';
/** Fields that a message must have to be MIME; RFC 1428 has the charset of what nobody declared. */
const undeclared = Buffer.from('Content-Type: text/plain; charset=unknown-8bit\r\n');
const mimeVersion = Buffer.from('MIME-Version: 1.0\r\n');

type Readable = Entity & { type: ContentType };

class Conversion {
  readonly #bytes: Buffer;
  #parts = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** A whole message, also one within another: what makes it MIME is added where it is missing. */
  message(span: Span, depth: number): Buffer[] {
    if (this.#isAscii(span)) return [this.#octets(span)];
    const entity = this.#read(span, plainText);
    const { fields } = entity.header;
    const missing: Buffer[] = [];
    if (findFields(fields, 'mime-version').length === 0) missing.push(mimeVersion);
    if (findFields(fields, 'content-type').length === 0) missing.push(undeclared);
    return this.#convert(entity, depth, missing);
  }

  #part(span: Span, depth: number, defaultType: string): Buffer[] {
    if (++this.#parts > maxParts) throw new NotConvertibleError(`it has over ${maxParts} parts`);
    if (this.#isAscii(span)) return [this.#octets(span)];
    const entity = this.#read(span, defaultType);
    const isDeclared =
      defaultType !== plainText || findFields(entity.header.fields, 'content-type').length > 0;
    return this.#convert(entity, depth, isDeclared ? [] : [undeclared]);
  }

  #read(span: Span, defaultType: string): Readable {
    const { type, ...entity } = readEntity(this.#bytes, span, defaultType);
    if (!this.#isAscii({ start: span.start, end: entity.body.start }))
      throw new NotConvertibleError('a header holds 8-bit octets, which no encoding is for');
    if (type === undefined) throw new NotConvertibleError('a Content-Type cannot be read');
    return { ...entity, type };
  }

  #convert(entity: Readable, depth: number, missing: readonly Buffer[]): Buffer[] {
    if (depth > maxDepth)
      throw new NotConvertibleError(`parts lie more than ${maxDepth} deep in one another`);
    if (!/^(?:7bit|8bit|binary)$/.test(entity.encoding))
      throw new NotConvertibleError(`a part said to be in ${word(entity.encoding)} holds 8-bit octets`);
    const { type, subtype } = entity.type;
    if (type === 'multipart') return this.#multipart(entity, depth, missing);
    if (type === 'message' && subtype === 'rfc822')
      return [...headed(entity, '7bit', missing), ...this.message(entity.body, depth + 1)];
    // RFC 6532 §3.7 lets the global types be encoded; RFC 2046 §5.2 no other message/*.
    if (type === 'message' && !subtype.startsWith('global'))
      throw new NotConvertibleError(`a message/${word(subtype)} must be 7-bit, and may not be encoded`);
    const { encoding, octets } = shorter(this.#octets(entity.body));
    return [...headed(entity, encoding, missing), octets];
  }

  #multipart(entity: Readable, depth: number, missing: readonly Buffer[]): Buffer[] {
    const { body, type } = entity;
    if (type.subtype === 'signed' || type.subtype === 'encrypted')
      throw new NotConvertibleError(`a multipart/${type.subtype} must not be changed`);
    const parts = findParts(this.#bytes, body, type.parameters.get('boundary') ?? '');
    if (parts === undefined || !type.parameters.get('boundary'))
      throw new NotConvertibleError('the boundary of a multipart cannot be found');
    const defaultType = type.subtype === 'digest' ? 'message/rfc822' : plainText;
    const pieces = headed(entity, '7bit', missing);
    let at = body.start;
    for (const part of parts) {
      pieces.push(this.#aside({ start: at, end: part.start }), ...this.#part(part, depth + 1, defaultType));
      at = part.end;
    }
    return [...pieces, this.#aside({ start: at, end: body.end })];
  }

  /** Preamble, delimiters, epilogue: for nobody's eyes (RFC 2046 §5.1.1). */
  #aside(span: Span): Buffer {
    if (this.#isAscii(span)) return this.#octets(span);
    return Buffer.from(
      this.#octets(span)
        .toString('latin1')
        .replace(/[^\0-\x7f]/g, '?'),
      'latin1',
    );
  }

  #octets({ start, end }: Span): Buffer {
    return this.#bytes.subarray(start, end);
  }

  #isAscii(span: Span): boolean {
    return isAscii(this.#octets(span));
  }
}

/** The header with this encoding in the place of what it said before, and with the fields that were missing. */
function headed({ header, encoding }: Entity, wanted: string, missing: readonly Buffer[]): Buffer[] {
  const field = Buffer.from(`Content-Transfer-Encoding: ${wanted}\r\n`);
  const isEncoding = ({ name }: { name: string }) => name === 'content-transfer-encoding';
  const at = header.fields.findIndex(isEncoding);
  const keeps = at === -1 ? wanted === '7bit' : encoding === wanted;
  const kept = keeps ? header.fields : header.fields.filter((each) => !isEncoding(each));
  const pieces = kept.map(({ raw }) => raw);
  if (!keeps) pieces.splice(at === -1 ? pieces.length : at, 0, field);
  pieces.push(...missing);
  return [...pieces, header.separator.length > 0 ? header.separator : Buffer.from('\r\n')];
}

/** Quoted-printable triples what is not ASCII; base64 makes four of three, whatever it is. */
function shorter(octets: Buffer): { encoding: string; octets: Buffer } {
  let coded = 0;
  for (const octet of octets) if (octet > 0x7e || octet === 0x3d) coded++;
  if (2 * coded <= octets.length / 3)
    return { encoding: 'quoted-printable', octets: encodeQuotedPrintable(octets) };
  return { encoding: 'base64', octets: encodeBase64(octets) };
}

/** In lines of 76 characters (RFC 2045 §6.8); ends in a line end where the octets do. */
function encodeBase64(octets: Buffer): Buffer {
  const lines = octets.toString('base64').match(/.{1,76}/g) ?? [];
  const end = octets.at(-1) === 0x0a ? '\r\n' : '';
  return Buffer.from(`${lines.join('\r\n')}${end}`, 'latin1');
}

/** A word of the message's, for our own text. */
const word = (text: string): string => text.slice(0, 40).replace(/[^\x21-\x7e]/g, '?');
