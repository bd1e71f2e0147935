/** What is wrong with the parts of a message, by the rules of RFC 2045 and 2046. Bounded as parts.ts is. */

import { isAscii, isUtf8 } from 'node:buffer';
import type { Entity } from '../mail/entity.ts';
import { findFields } from '../mail/header.ts';
import { findParts } from '../mail/multipart.ts';
import { partsOf } from '../mail/parts.ts';
import { type Finding, rfc, withoutRepeats } from './finding.ts';

export function mimeFaults(message: Buffer): Finding[] {
  const { entities, cut } = partsOf(message);
  const [whole] = entities;
  const found = [
    ...(whole ? versionFaults(whole) : []),
    ...entities.flatMap((entity, index) => faultsOf(message, entity, placeOf(index))),
  ];
  if (cut !== undefined)
    found.push({
      ...{ id: 'mime-cut', about: 'MIME', severity: 'warning' },
      fact: `It has ${cut}: what is behind was not looked at, and receivers have limits as well.`,
      remedy: 'Send fewer parts.',
    });
  return withoutRepeats(found);
}

const placeOf = (index: number): string => (index === 0 ? 'the message' : `part ${index}`);

function versionFaults({ header: { fields } }: Entity): Finding[] {
  const hasMime = fields.some(({ name }) => name.startsWith('content-'));
  if (!hasMime || findFields(fields, 'mime-version').length > 0) return [];
  return [
    {
      ...{ id: 'mime-version-missing', about: 'MIME', severity: 'warning' },
      fact: 'It has Content fields, and no MIME-Version.',
      rule: rfc('2045 §4', 'a message that is MIME says so: readers need not believe it else'),
      remedy: 'Add MIME-Version: 1.0.',
    },
  ];
}

function faultsOf(message: Buffer, entity: Entity, place: string): Finding[] {
  const { type, header } = entity;
  if (type === undefined && findFields(header.fields, 'content-type').length > 0)
    return [
      {
        ...{ id: 'content-type-unreadable', about: 'MIME', severity: 'warning' },
        fact: `Content-Type of ${place} cannot be read.`,
        rule: rfc('2045 §5.1', 'a type is written type/subtype; parameter=value'),
        remedy: 'Correct it, or leave it out: it is text/plain then.',
      },
    ];
  if (type?.type === 'multipart') return multipartFaults(message, entity, place);
  const body = message.subarray(entity.body.start, entity.body.end);
  return [...encodingFaults(entity, body, place), ...charsetFaults(entity, body, place)];
}

function multipartFaults(message: Buffer, { type, body, encoding }: Entity, place: string): Finding[] {
  const boundary = type?.parameters.get('boundary') ?? '';
  const about = 'MIME';
  if (boundary === '')
    return [
      {
        ...{ id: 'boundary-missing', about, severity: 'error' },
        fact: `The multipart of ${place} names no boundary.`,
        rule: rfc('2046 §5.1.1', 'a multipart has a boundary parameter'),
        remedy: 'Add boundary="…" to its Content-Type.',
      },
    ];
  if (findParts(message, body, boundary, 1) === undefined)
    return [
      {
        ...{ id: 'boundary-not-found', about, severity: 'error' },
        fact: `No line of ${place} begins with its boundary, --${boundary.slice(0, 70)}.`,
        rule: rfc('2046 §5.1.1', 'the parts lie between lines of two dashes and the boundary'),
        remedy: 'Write the same boundary in Content-Type and before the parts.',
      },
    ];
  const found: Finding[] = [];
  if (!message.subarray(body.start, body.end).includes(`\n--${boundary}--`))
    found.push({
      ...{ id: 'multipart-open', about, severity: 'warning' },
      fact: `The multipart of ${place} has no end: --${boundary.slice(0, 70)}-- is missing.`,
      rule: rfc('2046 §5.1.1', 'two dashes follow the boundary on the last of its lines'),
      remedy: 'Add that line after the last part: the message may have been cut.',
    });
  if (!['7bit', '8bit', 'binary'].includes(encoding))
    found.push({
      ...{ id: 'multipart-encoded', about, severity: 'warning' },
      fact: `The multipart of ${place} is said to be ${encoding.slice(0, 40)}.`,
      rule: rfc('2045 §6.4', 'a multipart is 7bit, 8bit or binary; its parts are encoded, each by itself'),
      remedy: 'Take Content-Transfer-Encoding off the multipart.',
    });
  return found;
}

/** RFC 2045 §6.8; the line end is not counted. */
const maxBase64Line = 76;

function encodingFaults({ encoding }: Entity, body: Buffer, place: string): Finding[] {
  const about = 'MIME';
  if (!['7bit', '8bit', 'binary', 'base64', 'quoted-printable'].includes(encoding))
    return [
      {
        ...{ id: 'encoding-unknown', about, severity: 'warning' },
        fact: `Content-Transfer-Encoding of ${place} is ${encoding.slice(0, 40)}.`,
        rule: rfc('2045 §6.1', 'it is one of 7bit, 8bit, binary, quoted-printable, base64'),
        remedy: 'Use base64 for files and quoted-printable for text.',
      },
    ];
  if (encoding !== '8bit' && encoding !== 'binary' && !isAscii(body))
    return [
      {
        ...{ id: 'encoding-8bit', about, severity: 'warning' },
        fact: `The body of ${place} is said to be ${encoding}, and has octets above 127.`,
        rule: rfc('2045 §2.7', `what is ${encoding} is ASCII`),
        remedy: 'Say Content-Transfer-Encoding: 8bit, or encode it.',
      },
    ];
  if (encoding === 'base64' && /[^\r\n]{77}/.test(body.toString('latin1')))
    return [
      {
        ...{ id: 'base64-line', about, severity: 'warning' },
        fact: `The base64 of ${place} has lines of more than ${maxBase64Line} characters.`,
        rule: rfc('2045 §6.8', 'encoded lines have at most 76 characters'),
        remedy: 'Break the lines.',
      },
    ];
  return [];
}

function charsetFaults({ type, encoding }: Entity, body: Buffer, place: string): Finding[] {
  if (type?.type !== 'text' || (encoding !== '8bit' && encoding !== 'binary') || isAscii(body)) return [];
  const charset = type.parameters.get('charset')?.toLowerCase() ?? 'us-ascii';
  const about = 'MIME';
  if (charset === 'us-ascii')
    return [
      {
        ...{ id: 'charset-missing', about, severity: 'warning' },
        fact: `The text of ${place} is not ASCII, and its Content-Type names no other charset.`,
        rule: rfc('2046 §4.1.2', 'text without a charset is US-ASCII'),
        remedy: 'Add charset=utf-8 to its Content-Type.',
      },
    ];
  if ((charset === 'utf-8' || charset === 'utf8') && !isUtf8(body))
    return [
      {
        ...{ id: 'charset-wrong', about, severity: 'warning' },
        fact: `The text of ${place} is said to be UTF-8, and is not.`,
        rule: rfc('3629 §4', 'not every sequence of octets is UTF-8'),
        remedy: 'Name the charset that it is written in, or write it in UTF-8.',
      },
    ];
  return [];
}
