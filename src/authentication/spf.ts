/**
 * SPF (RFC 7208): may this client send mail of this domain? mailauth evaluates the records, with RFC 7208's own limits
 * on look-ups; this file says what is asked and puts the answer into our words.
 */

import { spf } from 'mailauth/lib/spf/index.js';
import type { LookUps } from './look-ups.ts';
import type { SpfResult, SpfVerdict } from './verdicts.ts';

export interface Sender {
  /** IPv4 or IPv6, from the socket. */
  clientAddress: string;
  /** What HELO or EHLO said. */
  helo: string;
  /** `local@domain` without angle brackets; '' is the null reverse-path. */
  reversePath: string;
}

/** Longer than any path (RFC 5321 §4.5.3.1.3) and any host name; what is longer names no domain. */
const longestIdentity = 512;

export async function checkSpf(lookUps: LookUps, hostname: string, sender: Sender): Promise<SpfVerdict> {
  const scope = sender.reversePath === '' ? 'helo' : 'mailfrom';
  const identity = scope === 'helo' ? sender.helo : sender.reversePath;
  if (identity.length > longestIdentity)
    return { result: 'none', domain: '', scope, reason: 'the name is too long' };
  try {
    const { domain, status } = await spf({
      sender: sender.reversePath,
      ip: sender.clientAddress.replace(/%.*$/s, ''),
      helo: sender.helo.slice(0, longestIdentity),
      mta: hostname,
      resolver: lookUps.resolve,
      strict: true,
    });
    const result = spfResult(status.result);
    const printable = /^[\x21-\x7e]+$/.test(domain) ? domain : '';
    return {
      result,
      domain: printable,
      scope,
      reason: reasonFor(result, printable, sender, status.comment ?? ''),
    };
  } catch (error) {
    return { result: 'permerror', domain: '', scope, reason: `cannot be evaluated: ${String(error)}` };
  }
}

const results: readonly SpfResult[] = [
  'pass',
  'fail',
  'softfail',
  'neutral',
  'none',
  'temperror',
  'permerror',
];

function spfResult(text: string): SpfResult {
  return results.find((result) => result === text) ?? 'permerror';
}

/** `comment` ends with what went wrong, after the sender's address. */
function reasonFor(result: SpfResult, domain: string, { clientAddress }: Sender, comment: string): string {
  switch (result) {
    case 'pass':
      return `${domain} permits ${clientAddress}`;
    case 'fail':
      return `${domain} does not permit ${clientAddress} (-)`;
    case 'softfail':
      return `${domain} probably does not permit ${clientAddress} (~)`;
    case 'neutral':
      return `${domain} says nothing about ${clientAddress} (?)`;
    case 'none':
      return domain === '' ? 'there is no domain to check' : `${domain} has no SPF record`;
    default:
      return comment.replace(/^.*? during lookup of .*?: /s, '');
  }
}
