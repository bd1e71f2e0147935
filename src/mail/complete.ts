/**
 * What submission does to a message that a program of our user wrote (RFC 6409 §8, requirement M3): missing fields are
 * put in front, blind copies are taken out, every other octet stays as it is.
 */

import { formatDate } from './date.ts';
import { foldField } from './fold.ts';
import { findFields, parseHeader, removeFields } from './header.ts';

export interface Completion {
  /** The authenticated address, `user@domain`; '' where there is none, and no From can be added. */
  from: string;
  /** Milliseconds since the epoch. */
  date: number;
  /** With its angle brackets. */
  messageId: string;
}

export interface CompletedHeader {
  /** The fields that were missing, CRLF line ends; to be put in front of the header. Empty where none was. */
  prefix: Buffer;
  /** The header section without blind copies, its blank line included; the given octets where there were none. */
  header: Buffer;
  /** Names of the fields put in front and taken out, lower-case. */
  added: string[];
  removed: string[];
}

/** Whom these name is told to nobody (RFC 5322 §3.6.3), and in resent messages neither (§3.6.6). */
const blindFields = new Set(['bcc', 'resent-bcc']);

/** A field that is there stays, whatever it says: a wrong Date is the user's to correct, not ours. */
export function completeHeader(headerBytes: Buffer, { from, date, messageId }: Completion): CompletedHeader {
  const header = parseHeader(headerBytes);
  const wanted: [name: string, value: string][] = [
    ['Date', formatDate(date)],
    ['Message-ID', messageId],
    ['From', from],
  ];
  const added = wanted.filter(
    ([name, value]) => value !== '' && findFields(header.fields, name.toLowerCase()).length === 0,
  );
  const removed = header.fields.filter(({ name }) => blindFields.has(name)).map(({ name }) => name);
  return {
    prefix: Buffer.from(added.map(([name, value]) => foldField(name, [value])).join('')),
    header: removed.length === 0 ? headerBytes : removeFields(header, ({ name }) => blindFields.has(name)),
    added: added.map(([name]) => name.toLowerCase()),
    removed,
  };
}
