/**
 * Reads an abuse report (ARF, RFC 5965; RFC 6591 for failures of authentication): who complains of which message. The parts
 * of the mail that carry it are found here; the rest of the mail is for people.
 */

import { findCanonicalIp } from '../dns/ip.ts';
import { decodeBody } from '../mail/decode-body.ts';
import { unstructuredText } from '../mail/encoded-words.ts';
import type { Entity } from '../mail/entity.ts';
import { fieldValue, findFields, type Header, type HeaderField, parseHeader } from '../mail/header.ts';
import { messageIdsOf } from '../mail/message-ids.ts';
import { parseDate } from '../mail/parse-date.ts';

export interface AbuseReport {
  /** `abuse`, `fraud`, `virus`, `auth-failure`, `not-spam`, `other`; lower-case. */
  type: string;
  userAgent?: string;
  /** Of the client that brought the message. */
  source?: string;
  /** When the message came, in ms since the epoch. */
  arrivedAt?: number;
  incidents: number;
  /** As they are written, without angle brackets. */
  originalMailFrom?: string;
  originalRecipients: string[];
  reportedDomains: string[];
  reportingMta?: string;
  /** What failed, of an `auth-failure`. */
  authFailure?: string;
  original?: OriginalMessage;
}

/** What the report has of the message itself. */
export interface OriginalMessage {
  /** With angle brackets. */
  messageId?: string;
  subject?: string;
  from?: string;
  date?: string;
  /** The values of the field that our own mail is known by. */
  tokens: string[];
}

/** Of a field that are kept, where there may be several. */
const maxValues = 20;
/** Characters of a value that are kept. */
const maxText = 300;
/** Octets of the report, and of the original's header, that are read. */
const maxReportBytes = 256 * 1024;

const isType = ({ type }: Entity, wanted: RegExp): boolean =>
  type !== undefined && wanted.test(`${type.type}/${type.subtype}`);

const reportType = /^message\/feedback-report$/;
const originalType =
  /^(?:message\/(?:rfc822|global)|text\/rfc822-headers|message\/(?:rfc822|global)-headers)$/;

/** Undefined where no part is one. `tokenField` is the name of the field for `tokens`, in lower case. */
export function readAbuseReport(
  message: Buffer,
  entities: readonly Entity[],
  tokenField: string,
): AbuseReport | undefined {
  const part = entities.find((entity) => isType(entity, reportType));
  if (part === undefined) return undefined;
  const original = entities.find((entity) => isType(entity, originalType));
  return {
    ...fieldsOf(headerIn(message, part)),
    ...(original && { original: originalOf(headerIn(message, original), tokenField) }),
  };
}

/** The body of a part, as the header section that it begins with. */
function headerIn(message: Buffer, { body, encoding }: Entity): Header {
  const octets = message.subarray(body.start, Math.min(body.end, body.start + maxReportBytes));
  return parseHeader(decodeBody(octets, encoding) ?? octets);
}

function fieldsOf({ fields }: Header): Omit<AbuseReport, 'original'> {
  const values = (name: string) =>
    findFields(fields, name).slice(0, maxValues).map(shortValue).filter(Boolean);
  const value = (name: string) => values(name)[0];
  const source = findCanonicalIp(/^[^\s(]*/.exec(value('source-ip') ?? '')?.[0] ?? '');
  const arrivedAt = parseDate(value('arrival-date') ?? value('received-date') ?? '');
  const incidents = value('incidents');
  return {
    type: (value('feedback-type') ?? 'other').toLowerCase(),
    incidents: incidents !== undefined && /^\d{1,9}$/.test(incidents) ? Number(incidents) : 1,
    originalRecipients: values('original-rcpt-to').map(withoutBrackets),
    reportedDomains: values('reported-domain'),
    ...present('userAgent', value('user-agent')),
    ...present('source', source),
    ...present('arrivedAt', arrivedAt),
    ...present(
      'originalMailFrom',
      value('original-mail-from') && withoutBrackets(value('original-mail-from') ?? ''),
    ),
    ...present('reportingMta', value('reporting-mta')?.replace(/^dns\s*;\s*/i, '')),
    ...present('authFailure', value('auth-failure')),
  };
}

function originalOf({ fields }: Header, tokenField: string): OriginalMessage {
  const first = (name: string): HeaderField | undefined => findFields(fields, name)[0];
  const text = (name: string) => {
    const field = first(name);
    return field && unstructuredText(field).slice(0, maxText);
  };
  const id = first('message-id');
  return {
    ...present('messageId', id && messageIdsOf(fieldValue(id))[0]?.slice(0, maxText)),
    ...present('subject', text('subject')),
    ...present('from', text('from')),
    ...present('date', text('date')),
    tokens: findFields(fields, tokenField).slice(0, maxValues).map(shortValue),
  };
}

const shortValue = (field: HeaderField): string => fieldValue(field).slice(0, maxText);

const withoutBrackets = (path: string): string => path.replace(/^<(.*)>$/, '$1');

/** The compiler does not follow that a computed key is `Key`. */
function present<Key extends string, Value>(key: Key, value: Value | undefined | ''): { [K in Key]?: Value } {
  return (value === undefined || value === '' ? {} : { [key]: value }) as { [K in Key]?: Value };
}
