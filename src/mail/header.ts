/**
 * The header section of a message as fields, octet for octet (RFC 5322 §2.2, §3.6.8): what is read can be put together
 * again without a difference, so that signatures survive. Knows no field's meaning; lists of addresses are read by
 * mailboxes.ts. One pass, no copies: fields are views into the bytes they were read from.
 */

export interface HeaderField {
  /** Lower-case. '' for lines that are no fields: they are kept, so that nothing is lost. */
  name: string;
  /** As received, with folds and the final line end. */
  raw: Buffer;
}

export interface Header {
  /** In order. Their octets, followed by the separator, are the header section as it was received. */
  fields: HeaderField[];
  /** The blank line; empty where the message ends with its header (RFC 5322 §3.5: the body is optional). */
  separator: Buffer;
  /** Offset of the first octet of the body. */
  bodyOffset: number;
  /** Which line is no field, for people. The first one is named. */
  malformed?: string;
}

const lf = 0x0a;
const cr = 0x0d;
const tab = 0x09;
const space = 0x20;
const colon = 0x3a;

/** The offset after the line that starts at `start`; that of the end where the last line has no line end. */
function nextLine(bytes: Buffer, start: number): number {
  const end = bytes.indexOf(lf, start);
  return end < 0 ? bytes.length : end + 1;
}

function isBlankLine(bytes: Buffer, start: number): boolean {
  return bytes[start] === lf || (bytes[start] === cr && bytes[start + 1] === lf);
}

const isFold = (octet: number | undefined): boolean => octet === space || octet === tab;

/**
 * The offset of the first octet of the body, or undefined while the blank line has not been seen.
 * `from` is the start of any line of the header: who collects bytes goes on where the last complete line ended.
 */
export function findHeaderEnd(bytes: Buffer, from = 0): number | undefined {
  let start = from;
  while (start < bytes.length) {
    const next = nextLine(bytes, start);
    if (isBlankLine(bytes, start)) return next;
    start = next;
  }
  return undefined;
}

/** Where the field ends that starts at `start`: at the first line that is no fold of it. */
function fieldEnd(bytes: Buffer, start: number): number {
  let end = nextLine(bytes, start);
  while (isFold(bytes[end])) end = nextLine(bytes, end);
  return end;
}

/**
 * The name of the field that starts at `start`, lower-case, or undefined where there is none before `end`. White space
 * before the colon is let pass (RFC 5322 §4.5): a `From :` that we did not see would be seen by others.
 */
function fieldName(bytes: Buffer, start: number, end: number): string | undefined {
  let at = start;
  while (at < end && isNameOctet(bytes[at])) at += 1;
  const nameEnd = at;
  while (isFold(bytes[at])) at += 1;
  if (nameEnd === start || at >= end || bytes[at] !== colon) return undefined;
  return bytes.toString('latin1', start, nameEnd).toLowerCase();
}

/** Where the lines end that are no fields either, from `start` on: half a million of them are one thing to look at. */
function strayEnd(bytes: Buffer, start: number): number {
  let end = start;
  while (end < bytes.length && !isBlankLine(bytes, end)) {
    const next = fieldEnd(bytes, end);
    if (fieldName(bytes, end, next) !== undefined) break;
    end = next;
  }
  return end;
}

/** Printable ASCII but the colon (RFC 5322 §2.2). */
function isNameOctet(octet: number | undefined): boolean {
  return octet !== undefined && octet > space && octet < 0x7f && octet !== colon;
}

/** In ASCII. Counts the lines only when something is wrong. */
function describeLine(bytes: Buffer, start: number): string {
  let number = 1;
  for (let at = nextLine(bytes, 0); at <= start; at = nextLine(bytes, at)) number += 1;
  const text = bytes.toString('latin1', start, Math.min(start + 40, nextLine(bytes, start)));
  return `line ${number} is no header field: "${text.trimEnd().replace(/[^\x20-\x7e]/g, '?')}"`;
}

/**
 * Reads the header section at the start of `bytes`, up to its blank line or the end. Line ends may be CRLF or LF.
 * Never fails: lines that are no fields become one without a name, and `malformed` says which was the first.
 */
export function parseHeader(bytes: Buffer): Header {
  const fields: HeaderField[] = [];
  let malformed: string | undefined;
  let start = 0;
  while (start < bytes.length && !isBlankLine(bytes, start)) {
    let end = fieldEnd(bytes, start);
    const name = fieldName(bytes, start, end);
    if (name === undefined) {
      malformed ??= describeLine(bytes, start);
      end = strayEnd(bytes, end);
    }
    fields.push({ name: name ?? '', raw: bytes.subarray(start, end) });
    start = end;
  }
  const bodyOffset = start < bytes.length ? nextLine(bytes, start) : start;
  const separator = bytes.subarray(start, bodyOffset);
  return { fields, separator, bodyOffset, ...(malformed === undefined ? {} : { malformed }) };
}

/** The value of a field: unfolded (RFC 5322 §2.2.3), trimmed, decoded from UTF-8 with U+FFFD for what is not. */
export function fieldValue({ raw }: HeaderField): string {
  return raw
    .toString('utf8', raw.indexOf(colon) + 1)
    .replace(/\r?\n/g, '')
    .trim();
}

/** The fields of this name, given in lower case, in order. */
export function findFields(fields: readonly HeaderField[], name: string): HeaderField[] {
  return fields.filter((field) => field.name === name);
}

/** The header section without the unwanted fields, its blank line included; all else octet for octet. */
export function removeFields(header: Header, unwanted: (field: HeaderField) => boolean): Buffer {
  const kept = header.fields.filter((field) => !unwanted(field));
  return Buffer.concat([...kept.map(({ raw }) => raw), header.separator]);
}

export { type Mailbox, type MailboxList, mailboxesOf } from './mailboxes.ts';
