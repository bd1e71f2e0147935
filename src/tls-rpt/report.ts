/** The report on a day's TLS to one domain, as the JSON that its owner's programs read (RFC 8460 §4.4). */

import type { DomainTally, FailureDetail, PolicyTally } from './tally.ts';

export interface ReportFacts {
  /** Who reports, for people. */
  organization: string;
  /** `user@domain` of the one who answers questions. */
  contact: string;
  reportId: string;
  /** A UTC day, `2026-11-27`. */
  day: string;
  tally: DomainTally;
}

const dayMs = 24 * 3600_000;

/** First and last second of a day, as seconds since the epoch: what a file is named after (RFC 8460 §5.1). */
export function rangeOf(day: string): { begin: number; end: number } {
  const begin = Date.parse(`${day}T00:00:00Z`) / 1000;
  return { begin, end: begin + dayMs / 1000 - 1 };
}

/** Survives JSON. */
export function tlsReport({ organization, contact, reportId, day, tally }: ReportFacts) {
  return {
    'organization-name': organization,
    'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
    'contact-info': contact,
    'report-id': reportId,
    policies: tally.policies.map(policyPart),
  };
}

function policyPart({ policy, successes, failures, details }: PolicyTally) {
  const { type, domain, strings, mxHosts } = policy;
  return {
    policy: {
      'policy-type': type,
      ...(strings.length > 0 && { 'policy-string': strings }),
      'policy-domain': domain,
      ...(mxHosts.length > 0 && { 'mx-host': mxHosts }),
    },
    summary: {
      'total-successful-session-count': successes,
      'total-failure-session-count': failures,
    },
    ...(details.length > 0 && { 'failure-details': details.map(detailPart) }),
  };
}

function detailPart({ type, count, sendingAddress, host, address, reason }: FailureDetail) {
  return {
    'result-type': type,
    ...(sendingAddress !== undefined && { 'sending-mta-ip': sendingAddress }),
    ...(host !== undefined && { 'receiving-mx-hostname': host }),
    ...(address !== undefined && { 'receiving-ip': address }),
    'failed-session-count': count,
    ...(reason !== undefined && { 'failure-reason-code': reason }),
  };
}
