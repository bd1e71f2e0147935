/**
 * The author domain of a message, by which DMARC is asked (RFC 9989 §5.3.1): that of the one From field, where all its
 * addresses share it. It reads From as strictly as our parser and, where that gives up, as loosely as any mail reader.
 */

import { addressKey } from '../mail/address.ts';
import { parseDomain } from '../mail/domain.ts';
import { fieldValue, findFields, type HeaderField, mailboxesOf } from '../mail/header.ts';

/**
 * Octets of a From field beyond which nobody reads it: every address in it costs time, and 256 KiB of them would cost
 * everybody's. Room for a hundred authors with their names.
 */
export const longestFrom = 8 * 1024;

/** Addresses of From that are kept among the facts. */
const mostAuthors = 10;

export type Author = { domain: string; problem?: never } | { domain?: never; problem: string };

/** Reads the author domain from the fields of a message; `problem` says why there is not exactly one. */
export function findAuthor(fields: readonly HeaderField[]): Author {
  const [from, ...others] = findFields(fields, 'from');
  if (from === undefined) return { problem: 'the message has no From field' };
  if (others.length > 0) return { problem: `the message has ${others.length + 1} From fields` };
  if (from.raw.length > longestFrom) return { problem: `From is longer than ${longestFrom} octets` };
  const [domain, ...different] = new Set(domainsOf(fieldValue(from)));
  if (domain === undefined) return { problem: 'From holds no address' };
  if (different.length > 0) return { problem: `From holds addresses of ${different.length + 1} domains` };
  return /^[\x21-\x7e]+$/.test(domain)
    ? { domain }
    : { problem: 'From holds an address without a valid domain' };
}

/** Whose names it is written in, lower-case, and what a reader may take for one where From cannot be read: for lists of senders. */
export function findAuthorAddresses(fields: readonly HeaderField[]): string[] {
  const short = findFields(fields, 'from').filter(({ raw }) => raw.length <= longestFrom);
  return short.flatMap((field) => addressesOf(fieldValue(field))).slice(0, mostAuthors);
}

const addressesOf = (value: string): string[] =>
  mailboxesOf(value)?.mailboxes.map(addressKey) ??
  Array.from(value.matchAll(/[^\s@<>(),;:"\\]{1,64}@[^\s@<>(),;:"\\]+/g), ([address]) =>
    address.toLowerCase(),
  );

/**
 * Where From is not what the grammar allows, a reader still shows something. Everything behind an `@` may be that, so
 * all of it counts: a From that could be read in two ways has two domains.
 */
function domainsOf(value: string): string[] {
  const list = mailboxesOf(value);
  if (list !== undefined) return list.mailboxes.map(({ domain }) => domain);
  return Array.from(value.matchAll(/@([^\s@<>(),;:"\\]+)/g), ([, name = '']) => normalize(name));
}

function normalize(name: string): string {
  const withoutDot = name.replace(/\.$/, '');
  return parseDomain(withoutDot) ?? withoutDot.toLowerCase();
}
