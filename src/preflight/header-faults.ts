/** What is wrong with the header of a message, by the rules of RFC 5322; what submission would add is told too. */

import { isAscii } from 'node:buffer';
import { fieldValue, findFields, type Header, mailboxesOf } from '../mail/header.ts';
import { messageIdsOf } from '../mail/message-ids.ts';
import { parseDate } from '../mail/parse-date.ts';
import { maxLineOctets } from '../mail/submission-rules.ts';
import { type Finding, rfc, withoutRepeats } from './finding.ts';
import type { Letter } from './letter.ts';

/** At most once each (RFC 5322 §3.6). */
const once = [
  ...['date', 'from', 'sender', 'reply-to', 'to', 'cc', 'message-id', 'in-reply-to', 'references'],
  'subject',
];
const addressFields = ['from', 'sender', 'reply-to', 'to', 'cc'];

const dayMs = 24 * 3600_000;
/** A message that is composed now has no other date than that of today, anywhere on earth. */
const dateToleranceMs = dayMs;

export function headerFaults({ draft, added, removed }: Letter, now: number): Finding[] {
  const { header } = draft;
  return [
    ...withoutRepeats(structureFaults(header)),
    ...once.flatMap((name) => repeated(header, name)),
    ...withoutRepeats(addressFields.flatMap((name) => unreadable(header, name))),
    ...authorFaults(header),
    ...dateFaults(header, now),
    ...messageIdFaults(header),
    ...absentFields(header),
    ...added.map(addedField),
    ...removed.map(removedField),
  ];
}

function structureFaults({ fields, malformed }: Header): Finding[] {
  const found: Finding[] = [];
  if (malformed !== undefined)
    found.push({
      ...{ id: 'header-line', about: 'message', severity: 'error', fact: `${malformed}.` },
      rule: rfc('5322 §2.2', 'a header is made of fields: name, colon, value'),
      remedy: 'Put a blank line between header and body, and a name and a colon before every value.',
    });
  const eightBit = fields.filter(({ raw }) => !isAscii(raw));
  for (const { name } of eightBit)
    found.push({
      ...{ id: 'header-8bit', about: 'message', severity: 'warning' },
      fact: `${shown(name)} has characters that are not ASCII, unencoded.`,
      rule: rfc('5322 §2.2', 'header fields are ASCII, but where SMTPUTF8 is spoken all the way (RFC 6532)'),
      remedy: 'Encode it as RFC 2047 says (=?utf-8?…?=).',
    });
  const long = fields.filter(({ raw }) => longestLine(raw) > maxLineOctets);
  for (const { name } of long)
    found.push({
      ...{ id: 'header-line-length', about: 'message', severity: 'error' },
      fact: `${shown(name)} has a line of more than ${maxLineOctets} octets.`,
      rule: rfc('5322 §2.1.1', 'a line has at most 998 octets'),
      remedy: 'Fold it: a line end and a blank go between two words.',
    });
  return found;
}

function longestLine(raw: Buffer): number {
  let longest = 0;
  for (let start = 0; start < raw.length; ) {
    const lf = raw.indexOf(0x0a, start);
    const end = lf < 0 ? raw.length : lf;
    longest = Math.max(longest, end - start - (raw[end - 1] === 0x0d ? 1 : 0));
    start = end + 1;
  }
  return longest;
}

function repeated({ fields }: Header, name: string): Finding[] {
  const count = findFields(fields, name).length;
  if (count < 2) return [];
  return [
    {
      ...{ id: 'field-repeated', about: 'message', severity: 'error' },
      fact: `There are ${count} ${shown(name)} fields.`,
      rule: rfc('5322 §3.6', `a message has one ${shown(name)} at most; careful receivers refuse others`),
      remedy: 'Leave one of them.',
    },
  ];
}

function unreadable({ fields }: Header, name: string): Finding[] {
  return findFields(fields, name)
    .filter((field) => mailboxesOf(fieldValue(field)) === undefined)
    .map((field) => ({
      ...{ id: 'address-unreadable', about: 'message', severity: name === 'from' ? 'error' : 'warning' },
      fact: `${shown(name)} holds no list of addresses: ${quoted(fieldValue(field))}.`,
      rule: rfc('5322 §3.4', 'addresses are written Name <user@example.org>, with commas between them'),
      remedy: 'Quote names with special characters ("Firm, Inc."), and put addresses in angle brackets.',
    }));
}

function authorFaults({ fields }: Header): Finding[] {
  const [from] = findFields(fields, 'from');
  const authors = (from && mailboxesOf(fieldValue(from))?.mailboxes) ?? [];
  if (authors.length < 2 || findFields(fields, 'sender').length > 0) return [];
  return [
    {
      ...{ id: 'sender-missing', about: 'message', severity: 'warning' },
      fact: `From names ${authors.length} people, and there is no Sender.`,
      rule: rfc('5322 §3.6.2', 'with several authors, Sender says who has sent it'),
      remedy: 'Add Sender, or leave one author.',
    },
  ];
}

function dateFaults({ fields }: Header, now: number): Finding[] {
  const [date] = findFields(fields, 'date');
  if (date === undefined) return [];
  const value = fieldValue(date);
  const at = parseDate(value);
  const about = 'message';
  if (at === undefined)
    return [
      {
        ...{ id: 'date-unreadable', about, severity: 'warning', fact: `Date is ${quoted(value)}.` },
        rule: rfc('5322 §3.3', 'a date is written Mon, 2 Jan 2006 15:04:05 +0000'),
        remedy: 'Write it so, or leave it out: the server adds it.',
      },
    ];
  if (Math.abs(at - now) <= dateToleranceMs) return [];
  const days = Math.round(Math.abs(at - now) / dayMs);
  return [
    {
      ...{ id: 'date-off', about, severity: at > now ? 'warning' : 'notice' },
      fact: `Date is ${days} ${days === 1 ? 'day' : 'days'} ${at > now ? 'ahead' : 'ago'}.`,
      rule: rfc('5322 §3.6.1', 'Date tells when the author has finished the message'),
      remedy: 'Set the clock of what writes it, or leave Date out: the server adds it.',
    },
  ];
}

function messageIdFaults({ fields }: Header): Finding[] {
  const [field] = findFields(fields, 'message-id');
  if (field === undefined) return [];
  const value = fieldValue(field);
  const [id, ...others] = messageIdsOf(value);
  if (id !== undefined && others.length === 0 && /^<[^<>@\s]+@[^<>@\s]+>$/.test(value)) return [];
  return [
    {
      ...{ id: 'message-id-malformed', about: 'message', severity: 'warning' },
      fact: `Message-ID is ${quoted(value)}.`,
      rule: rfc('5322 §3.6.4', 'a Message-ID is <left@right>, in angle brackets and without blanks'),
      remedy: 'Write it so, or leave it out: the server adds one.',
    },
  ];
}

function absentFields({ fields }: Header): Finding[] {
  const has = (name: string) => findFields(fields, name).length > 0;
  const found: Finding[] = [];
  if (!has('to') && !has('cc'))
    found.push({
      ...{ id: 'recipients-untold', about: 'message', severity: 'notice' },
      fact: 'Neither To nor Cc says whom it is for.',
      rule: rfc('5322 §3.6.3', 'these fields are optional'),
    });
  if (!has('subject'))
    found.push({
      ...{ id: 'subject-missing', about: 'message', severity: 'notice', fact: 'There is no Subject.' },
      rule: rfc('5322 §3.6.5', 'this field is optional'),
    });
  return found;
}

const addedField = (name: string): Finding => ({
  ...{ id: 'field-added', about: 'message', severity: 'notice' },
  fact: `There is no ${shown(name)}: submission adds it.`,
  rule: rfc('5322 §3.6', 'a message has Date and From, and should have a Message-ID'),
});

const removedField = (name: string): Finding => ({
  ...{ id: 'field-removed', about: 'message', severity: 'notice' },
  fact: `${shown(name)} is taken out by submission: nobody is to see it.`,
});

/** Of a field's name that is told. */
const maxNameChars = 80;

/** As people write it. */
const shown = (name: string): string =>
  name === 'message-id'
    ? 'Message-ID'
    : name.slice(0, maxNameChars).replace(/(^|-)([a-z])/g, (_, dash, letter) => dash + letter.toUpperCase());

const quoted = (text: string): string => (text.length > 80 ? `"${text.slice(0, 80)}…"` : `"${text}"`);
