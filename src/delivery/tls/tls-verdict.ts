/**
 * A host's policy as a demand on the session with it, as facts for the dossier, and as a line of a TLS report. The
 * verdict is a function of the policy and of what the handshake showed (decision 0013).
 */

import { verifyDane } from '../../dane/tlsa.ts';
import type { TlsPolicyFacts } from '../../dossier/event.ts';
import type { TlsFault } from '../../smtp/client-verdict.ts';
import type { TlsShown } from '../../smtp/conversation.ts';
import { opportunistic, type TlsDemand } from '../../smtp/tls-demand.ts';
import type { ReportedPolicy } from '../../tls-rpt/result.ts';
import { type HostPolicy, reportedSts, tlsaText } from './tls-policy.ts';

/** `now` in milliseconds since the epoch. */
export function demandOf(policy: HostPolicy | undefined, host: string, now: () => number): TlsDemand {
  switch (policy?.kind) {
    case undefined:
      return opportunistic;
    case 'dane':
      return {
        key: `dane ${policy.base} ${policy.names.join()} ${policy.records.map(wholeText).join()}`,
        use: 'always',
        // RFC 7672 §8.1
        serverName: policy.base,
        judge: (shown) => judgeByRecords(policy, shown, now()),
      };
    case 'encrypted':
      return { key: 'encrypted', use: 'always', serverName: policy.base };
    case 'sts':
    case 'verified':
      return { key: 'verified', use: 'always', judge: (shown) => judgeByAuthorities(host, shown) };
    case 'sts-testing':
      return {
        key: 'tested',
        use: 'offered',
        tolerant: true,
        judge: (shown) => judgeByAuthorities(host, shown),
      };
  }
}

type DanePolicy = Extract<HostPolicy, { kind: 'dane' }>;

const wholeText = ({ usage, selector, matchingType, data }: DanePolicy['records'][number]): string =>
  `${usage} ${selector} ${matchingType} ${data.toString('hex')}`;

function judgeByRecords({ records, names }: DanePolicy, shown: TlsShown, now: number): TlsFault | undefined {
  const verdict = verifyDane(records, shown.chain(), { names, now });
  return verdict.result === 'verified' ? undefined : { type: verdict.cause, reason: verdict.reason };
}

/**
 * The authorities vouch for the chain, and the certificate is for the host: by its alternative names alone, and a wildcard
 * stands for one whole label (RFC 8461 §4.2).
 */
function judgeByAuthorities(host: string, { distrust, chain }: TlsShown): TlsFault | undefined {
  if (distrust !== undefined) {
    const type = distrust === 'CERT_HAS_EXPIRED' ? 'certificate-expired' : 'certificate-not-trusted';
    return { type, reason: `no authority vouches for the certificate: ${wordsOf(distrust)}` };
  }
  const [own] = chain();
  if (own?.checkHost(host, { subject: 'never', partialWildcards: false }) !== undefined) return undefined;
  return { type: 'certificate-host-mismatch', reason: `the certificate is not for ${host}` };
}

const wordsOf = (code: string): string => code.toLowerCase().replaceAll('_', ' ');

/** What a dossier keeps of a policy; undefined where there was none. */
export function policyFacts(
  policy: HostPolicy | undefined,
  fault: TlsFault | undefined,
): TlsPolicyFacts | undefined {
  if (policy === undefined) return undefined;
  return { kind: policy.kind, evidence: evidenceOf(policy), ...(fault && { fault: fault.reason }) };
}

function evidenceOf(policy: HostPolicy): string {
  switch (policy.kind) {
    case 'dane':
      return `${policy.records.map(tlsaText).join(', ')} of ${policy.base}`;
    case 'encrypted':
      return `TLSA records of ${policy.base} that cannot be used`;
    case 'sts':
    case 'sts-testing':
      return `policy ${policy.policy.id} of ${policy.policy.domain}`;
    case 'verified':
      return 'the message asks for it (REQUIRETLS)';
  }
}

/** `domain` is that of the recipients. */
export function reportedPolicy(policy: HostPolicy | undefined, domain: string): ReportedPolicy {
  switch (policy?.kind) {
    case 'dane':
      return { type: 'tlsa', domain: policy.base, strings: policy.records.map(wholeText), mxHosts: [] };
    case 'encrypted':
      return { type: 'tlsa', domain: policy.base, strings: [], mxHosts: [] };
    case 'sts':
    case 'sts-testing':
      return reportedSts(policy.policy);
    default:
      return { type: 'no-policy-found', domain, strings: [], mxHosts: [] };
  }
}
