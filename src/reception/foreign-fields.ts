/** What a message brings that only we may write: it goes before anything is kept. */

import { isForgedResults } from '../authentication/results.ts';
import { fieldValue, type Header, removeFields } from '../mail/header.ts';

/**
 * Return-Path is written at final delivery only (RFC 5321 §4.4), and results in our name only by us (RFC 8601 §5). So is the
 * verdict, which a copy may have none of: what a sender wrote in its place would be taken for ours.
 */
export function withoutForeignFields(header: Header, original: Buffer, hostname: string): Buffer {
  const foreign = (field: Header['fields'][number]) =>
    field.name === 'return-path' ||
    field.name === 'x-posthorn-verdict' ||
    (field.name === 'authentication-results' && isForgedResults(fieldValue(field), hostname));
  return header.fields.some(foreign) ? removeFields(header, foreign) : original;
}
