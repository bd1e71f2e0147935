/**
 * Reads a TLS report that somebody sends (RFC 8460 §4.4): how our own receiving side was found. Unknown members are passed
 * over, missing ones are none; what is there must be of its kind.
 */

import { parseDomain } from '../mail/domain.ts';

export interface ReceivedTlsReport {
  organization: string;
  contact: string;
  reportId: string;
  /** Of the period, in ms since the epoch. */
  beginsAt: number;
  endsAt: number;
  policies: ReceivedTlsPolicy[];
}

export interface ReceivedTlsPolicy {
  /** `sts`, `tlsa`, `no-policy-found`, or whatever it says. */
  type: string;
  /** A-labels; '' where it is not said. */
  domain: string;
  strings: string[];
  mxHosts: string[];
  successes: number;
  failures: number;
  details: ReceivedTlsFailure[];
}

export interface ReceivedTlsFailure {
  type: string;
  count: number;
  sendingAddress?: string;
  host?: string;
  address?: string;
  reason?: string;
}

/** Why it cannot be read, for people: the words go on after "it cannot be read: ". */
export class TlsReportError extends Error {
  override readonly name = 'TlsReportError';
}

/** Of one report that are kept. */
const [maxPolicies, maxDetails, maxStrings] = [100, 200, 50];
/** Characters that are kept of a text. */
const maxText = 300;

/** Throws a TlsReportError. */
export function readTlsReport(octets: Buffer): ReceivedTlsReport {
  const report = objectOf(parsed(octets), 'the report');
  const range = objectOf(report['date-range'], 'date-range');
  const [beginsAt, endsAt] = [timeOf(range, 'start-datetime'), timeOf(range, 'end-datetime')];
  if (beginsAt > endsAt) throw new TlsReportError('its period ends before it begins');
  const reportId = textOf(report['report-id']);
  if (reportId === '') throw new TlsReportError('it has no report-id');
  return {
    organization: textOf(report['organization-name']),
    contact: textOf(report['contact-info']),
    reportId,
    beginsAt,
    endsAt,
    policies: listOf(report.policies, 'policies').slice(0, maxPolicies).map(policyOf),
  };
}

function parsed(octets: Buffer): unknown {
  try {
    return JSON.parse(octets.toString('utf8').replace(/^\ufeff/, ''));
  } catch (error) {
    if (error instanceof SyntaxError) throw new TlsReportError('it is no JSON');
    throw error;
  }
}

function policyOf(value: unknown): ReceivedTlsPolicy {
  const entry = objectOf(value, 'a policy');
  const policy = objectOf(entry.policy ?? {}, 'policy');
  const summary = objectOf(entry.summary ?? {}, 'summary');
  const name = textOf(policy['policy-domain']);
  return {
    type: textOf(policy['policy-type']),
    domain: parseDomain(name) ?? name,
    strings: textsOf(policy['policy-string']),
    mxHosts: textsOf(policy['mx-host']),
    successes: countOf(summary, 'total-successful-session-count'),
    failures: countOf(summary, 'total-failure-session-count'),
    details: listOf(entry['failure-details'], 'failure-details').slice(0, maxDetails).map(detailOf),
  };
}

function detailOf(value: unknown): ReceivedTlsFailure {
  const detail = objectOf(value, 'a failure');
  const [sendingAddress, host, address, reason] = [
    textOf(detail['sending-mta-ip']),
    textOf(detail['receiving-mx-hostname']),
    textOf(detail['receiving-ip']),
    textOf(detail['failure-reason-code']),
  ];
  return {
    type: textOf(detail['result-type']),
    count: countOf(detail, 'failed-session-count'),
    ...(sendingAddress !== '' && { sendingAddress }),
    ...(host !== '' && { host }),
    ...(address !== '' && { address }),
    ...(reason !== '' && { reason }),
  };
}

type Members = Readonly<Record<string, unknown>>;

function objectOf(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TlsReportError(`${what} is no object`);
  return value as Members; // whose members are looked at one by one
}

function listOf(value: unknown, what: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new TlsReportError(`${what} is no list`);
  return value;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, maxText).trim() : '');

/** Some write one text where a list of them should be. */
function textsOf(value: unknown): string[] {
  const values = Array.isArray(value) ? value.slice(0, maxStrings) : [value];
  return values.map(textOf).filter((text) => text !== '');
}

function countOf(members: Members, key: string): number {
  const count = members[key] ?? 0;
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0)
    throw new TlsReportError(`${key} is no count`);
  return count;
}

/** RFC 8460 §4.4 wants RFC 3339. */
function timeOf(members: Members, key: string): number {
  const text = textOf(members[key]);
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new TlsReportError(`${key} is no time`);
  return at;
}
