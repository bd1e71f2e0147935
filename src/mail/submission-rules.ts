/**
 * What a message of our own users must be before we sign and send it (RFC 6409 §6, §8; requirements, duties 5 and 6).
 * Pure: values in, a verdict out. Knows no session and no account, only who may use which address. Mail from outside
 * is never judged by these rules; it is kept as it came.
 */

import { isAscii, isUtf8 } from 'node:buffer';
import { type Address, addressKey } from './address.ts';
import { fieldValue, findFields, type Header } from './header.ts';
import { mailboxesOf } from './mailboxes.ts';

export interface Refusal {
  ok: false;
  /** Enhanced status: `5.6.0` for what the message is, `5.7.1` for whom it claims to be from. */
  status: '5.6.0' | '5.7.1';
  /** For the sender, in ASCII: what is wrong and what to do about it. */
  text: string;
  /** For logs and dossiers. */
  rule: string;
}

export type SubmissionVerdict = { ok: true } | Refusal;

export interface SubmissionTerms {
  /** SMTPUTF8 was declared at MAIL (RFC 6531): header fields may hold UTF-8. */
  smtputf8: boolean;
  /** Whether the submitting user may write in the name of this `addressKey()`. */
  mayUse: (key: string) => boolean;
}

/** RFC 5322 §2.1.1, without the CRLF. */
export const maxLineOctets = 998;

const lf = 0x0a;

const accepted: SubmissionVerdict = { ok: true };

const malformed = (rule: string, text: string): Refusal => ({ ok: false, status: '5.6.0', text, rule });

const nulRefusal = malformed('no NUL', 'The message has a NUL octet; encode binary content in base64');
const longLineRefusal = malformed(
  'lines of at most 998 octets',
  `The message has a line over ${maxLineOctets} octets; fold it, or encode the content`,
);

/** Text from the message for a reply: ASCII, short. */
function quote(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?');
  return printable.length > 80 ? `${printable.slice(0, 80)}...` : printable;
}

/**
 * Looks at a message's octets, chunk by chunk, for NUL and for lines over 998 octets. The returned function gives the
 * refusal as soon as there is one. Chunks may be cut anywhere.
 */
export function lineScanner(): (chunk: Buffer) => Refusal | undefined {
  /** Octets of the line that the last chunk left unfinished. */
  let open = 0;
  return (chunk) => {
    if (chunk.includes(0)) return nulRefusal;
    // Looks for a line end within reach of the last one: one search for a thousand octets, not one a line.
    let lineStart = -open;
    while (chunk.length - lineStart > maxLineOctets + 1) {
      const reach = lineStart + maxLineOctets + 1;
      const lineEnd = reach < 0 ? -1 : chunk.lastIndexOf(lf, reach);
      if (lineEnd < lineStart || lineEnd < 0) return longLineRefusal;
      lineStart = lineEnd + 1;
    }
    const lastEnd = chunk.lastIndexOf(lf);
    open = lastEnd < 0 ? chunk.length - lineStart : chunk.length - lastEnd - 1;
    return undefined;
  };
}

function checkLines({ fields, malformed: line }: Header): Refusal | undefined {
  if (line !== undefined) {
    return malformed('header fields only', `${quote(line)}; put a blank line between header and body`);
  }
  const scan = lineScanner();
  return fields.map(({ raw }) => scan(raw)).find((refusal) => refusal !== undefined);
}

function checkCharacters({ fields }: Header, smtputf8: boolean): Refusal | undefined {
  const wrong = fields.find(({ raw }) => !isAscii(raw) && !(smtputf8 && isUtf8(raw)));
  if (wrong === undefined) return undefined;
  const remedy = smtputf8 ? 'write it in UTF-8' : 'encode it (RFC 2047) or declare SMTPUTF8';
  return malformed(
    '8-bit headers only as UTF-8 with SMTPUTF8',
    `8-bit characters in ${quote(wrong.name)}: ${remedy}`,
  );
}

/** Fields that say who wrote a message and who sent it (RFC 5322 §3.6.2). */
type AuthorField = 'From' | 'Sender';

/** The mailboxes that such a field names, or why they cannot be told. */
function authorsOf(name: AuthorField, value: string): { mailboxes: Address[] } | Refusal {
  const list = mailboxesOf(value);
  if (list !== undefined && list.mailboxes.length > 0) return list;
  const text = `Cannot parse ${name}: "${quote(value)}"; write it as Name <user@domain>`;
  return malformed(`${name} can be read`, text);
}

/** The mailboxes that From and Sender name, as far as they can be read. */
export function submittedAuthors({ fields }: Header): Address[] {
  return (['From', 'Sender'] as const).flatMap((name) =>
    findFields(fields, name.toLowerCase()).flatMap((field) => {
      const authors = authorsOf(name, fieldValue(field));
      return 'ok' in authors ? [] : authors.mailboxes;
    }),
  );
}

/** At most once each: a missing From is added by the server (complete.ts), a second could be the one that is shown. */
function checkAuthors(
  { fields }: Header,
  name: AuthorField,
  mayUse: SubmissionTerms['mayUse'],
): Refusal | undefined {
  const [field, another] = findFields(fields, name.toLowerCase());
  if (field === undefined) return undefined;
  if (another !== undefined) return malformed(`one ${name}`, `More than one ${name} field; send exactly one`);
  const authors = authorsOf(name, fieldValue(field));
  if ('ok' in authors) return authors;
  const foreign = authors.mailboxes.map(addressKey).find((key) => !mayUse(key));
  if (foreign === undefined) return undefined;
  const text = `You may not send as ${quote(foreign)} in ${name}; use an address of your own account`;
  return { ok: false, status: '5.7.1', text, rule: 'every From and Sender mailbox belongs to the submitter' };
}

/** Judges a submitted message by its header as it came, before anything is added to it. The first fault found counts. */
export function checkSubmittedHeader(
  header: Header,
  { smtputf8, mayUse }: SubmissionTerms,
): SubmissionVerdict {
  return (
    checkLines(header) ??
    checkCharacters(header, smtputf8) ??
    checkAuthors(header, 'From', mayUse) ??
    checkAuthors(header, 'Sender', mayUse) ??
    accepted
  );
}
