/** Of one connection in words: what protected it, under which policy, and whether the policy got what it wants. */

import type { TlsFacts, TlsPolicyFacts } from './event.ts';
import { tlsOf } from './words.ts';

export interface Protection {
  tls?: TlsFacts;
  policy?: TlsPolicyFacts;
  tlsBrokenSince?: number;
  /** No session came about. */
  error?: string;
}

export function protectionOf({ tls, policy, tlsBrokenSince, error }: Protection): string[] {
  const lines = tls === undefined ? (error === undefined ? ['not encrypted'] : []) : [tlsOf(tls)];
  if (policy !== undefined) lines.push(policyText(policy, tls !== undefined));
  else if (error === undefined) lines.push('TLS policy: none was found, so TLS is used where it works');
  if (tlsBrokenSince !== undefined)
    lines.push(
      `in clear text although TLS is offered: its handshakes have failed since ${new Date(tlsBrokenSince).toISOString()}, and no policy forbids it`,
    );
  return lines;
}

const names: Record<TlsPolicyFacts['kind'], string> = {
  dane: 'DANE',
  encrypted: 'DANE without a record that can be used',
  sts: 'MTA-STS, enforced',
  'sts-testing': 'MTA-STS, only tested',
  verified: 'a verified certificate',
  required: 'TLS, whoever it is',
  none: 'none',
};

const met: Record<TlsPolicyFacts['kind'], string> = {
  dane: 'the certificate is one that DNS vouches for',
  encrypted: 'TLS is there, and nothing more is asked',
  sts: 'the certificate is for the host, and an authority vouches for it',
  'sts-testing': 'the certificate is for the host, and an authority vouches for it',
  verified: 'the certificate is for the host, and an authority vouches for it',
  required: 'TLS is there, and nothing more is asked',
  none: 'nothing is asked',
};

function policyText({ kind, evidence, fault }: TlsPolicyFacts, hasTls: boolean): string {
  const policy = `TLS policy: ${names[kind]} (${evidence})`;
  if (fault === undefined) return hasTls ? `${policy}; ${met[kind]}` : policy;
  const consequence = kind === 'sts-testing' ? 'it goes on, since it is only a test' : 'no mail goes there';
  return `${policy}; ${fault}: ${consequence}`;
}
