/**
 * A mail as the report that it brings, whatever kind it is: DMARC aggregate (RFC 9990 §3.5), TLS (RFC 8460 §5) or abuse
 * (RFC 5965). What an attachment is, its first octets say: real senders call them all names. Blocks; for the reader's thread.
 */

import { type AbuseReport, readAbuseReport } from '../../arf/read.ts';
import { readAggregateReport } from '../../dmarc-rpt/read.ts';
import type { AggregateReport } from '../../dmarc-rpt/report.ts';
import { decodeBody } from '../../mail/decode-body.ts';
import type { Entity } from '../../mail/entity.ts';
import { partsOf } from '../../mail/parts.ts';
import { type ReceivedTlsReport, readTlsReport, TlsReportError } from '../../tls-rpt/read.ts';
import { isGzip, isZip, UnpackError, unpack } from '../../util/unpack.ts';
import { XmlError } from '../../util/xml.ts';

export type ReadReport =
  | { kind: 'dmarc'; report: AggregateReport }
  | { kind: 'tls'; report: ReceivedTlsReport }
  | { kind: 'abuse'; report: AbuseReport }
  /** Why, for people: the words go on after "it cannot be read: ". */
  | { kind: 'unreadable'; problem: string };

/** Of a report, unpacked: those of the largest senders have some MB. */
export const maxUnpackedBytes = 20 * 1024 * 1024;

const reportFile = /\.(?:xml|json)$/i;

/** `tokenField` is the name, in lower case, of the field that our own mail is known by. */
export function readReport(message: Buffer, tokenField: string): ReadReport {
  const { entities, cut } = partsOf(message);
  const abuse = readAbuseReport(message, entities, tokenField);
  if (abuse !== undefined) return { kind: 'abuse', report: abuse };
  let problem =
    cut === undefined ? 'no part of it is a report' : `no part of it is a report, and it has ${cut}`;
  for (const entity of entities) {
    const read = reportIn(message, entity);
    if (read !== undefined && read.kind !== 'unreadable') return read;
    if (read !== undefined) problem = read.problem;
  }
  return { kind: 'unreadable', problem };
}

/** Undefined where the part is nothing of the kind. */
function reportIn(message: Buffer, { type, body, encoding }: Entity): ReadReport | undefined {
  // A first line may be empty where a program forgets that one ends the header already.
  if (type?.type === 'multipart' || type?.type === 'message') return undefined;
  const octets = decodeBody(message.subarray(body.start, body.end), encoding);
  if (octets === undefined) return undefined;
  const isPacked = isGzip(octets) || isZip(octets);
  if (!isPacked && firstMark(octets) === undefined) return undefined;
  try {
    return reportOf(unpack(octets, maxUnpackedBytes, reportFile), isPacked || isDeclared(type));
  } catch (error) {
    if (error instanceof UnpackError || error instanceof XmlError || error instanceof TlsReportError)
      return { kind: 'unreadable', problem: error.message };
    throw error;
  }
}

function reportOf(octets: Buffer, isAttached: boolean): ReadReport | undefined {
  const mark = firstMark(octets);
  // What begins with `<` in a text for people is its HTML.
  if (!isAttached) return undefined;
  if (octets.length > maxUnpackedBytes) throw new UnpackError(`it is larger than ${maxUnpackedBytes} octets`);
  if (mark === '<') return { kind: 'dmarc', report: readAggregateReport(octets) };
  if (mark === '{') return { kind: 'tls', report: readTlsReport(octets) };
  throw new UnpackError('the file in it is neither XML nor JSON');
}

const isDeclared = (type: Entity['type']): boolean =>
  type !== undefined && (type.type === 'application' || `${type.type}/${type.subtype}` === 'text/xml');

/** After a byte order mark and white space, if it is one of the two with which a report begins. */
function firstMark(octets: Buffer): '<' | '{' | undefined {
  const start = octets.toString('latin1', 0, 200).replace(/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*/, '');
  return start.startsWith('<') ? '<' : start.startsWith('{') ? '{' : undefined;
}
