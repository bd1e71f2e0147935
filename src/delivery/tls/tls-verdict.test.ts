import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TlsShown } from '../../smtp/conversation.ts';
import { opportunistic } from '../../smtp/tls-demand.ts';
import { testAuthority } from '../../testing/certificates.ts';
import type { StsPolicyInForce } from './sts-memo.ts';
import type { HostPolicy } from './tls-policy.ts';
import { demandOf, policyFacts, reportedPolicy } from './tls-verdict.ts';

const host = 'mx.example.net';
const authority = testAuthority();
const certificateFor = (...names: string[]) => new X509Certificate(authority.issue(names).cert);
const own = certificateFor(host);

function shown(certificate: X509Certificate, distrust?: string): TlsShown {
  return { facts: { version: 'TLSv1.3', cipher: 'x' }, distrust, chain: () => [certificate] };
}

const digestOf = (certificate: X509Certificate) =>
  createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest();

const dane: Extract<HostPolicy, { kind: 'dane' }> = {
  kind: 'dane',
  base: 'real.example.org',
  names: ['real.example.org', host],
  records: [{ usage: 3, selector: 1, matchingType: 1, data: digestOf(own) }],
};
const inForce: StsPolicyInForce = {
  domain: 'example.net',
  id: '7',
  mode: 'enforce',
  mx: [host],
  maxAge: 86_400,
  fetchedAt: 0,
};
const sts: HostPolicy = { kind: 'sts', policy: inForce };
const testing: HostPolicy = { kind: 'sts-testing', policy: { ...inForce, mode: 'testing' } };

describe('demandOf()', () => {
  it.each<[HostPolicy | undefined, object]>([
    [undefined, opportunistic],
    [dane, { use: 'always', serverName: 'real.example.org' }],
    [
      { kind: 'encrypted', base: host },
      { key: 'encrypted', use: 'always', serverName: host },
    ],
    [sts, { key: 'verified', use: 'always' }],
    [{ kind: 'verified' }, { key: 'verified', use: 'always' }],
    [testing, { key: 'tested', use: 'offered', tolerant: true }],
  ])('P9: demands of %j', (policy, demand) => {
    expect(demandOf(policy, host, Date.now)).toMatchObject(demand);
  });

  it('P9: sessions under different records are different', () => {
    const other: HostPolicy = { ...dane, records: dane.records.map((each) => ({ ...each, selector: 0 })) };
    expect(demandOf(dane, host, Date.now).key).not.toBe(demandOf(other, host, Date.now).key);
  });

  it('P9: under DANE the record decides, whatever the authorities say', () => {
    const { judge } = demandOf(dane, host, Date.now);
    expect(judge?.(shown(own, 'DEPTH_ZERO_SELF_SIGNED_CERT'))).toBeUndefined();
    expect(judge?.(shown(certificateFor(host)))).toMatchObject({ type: 'validation-failure' });
  });

  it.each<[string, TlsShown, string | undefined]>([
    ['for the host', shown(own), undefined],
    ['for a wildcard of one label', shown(certificateFor('*.example.net')), undefined],
    ['for part of a label', shown(certificateFor('m*.example.net')), 'certificate-host-mismatch'],
    ['for the domain alone', shown(certificateFor('example.net')), 'certificate-host-mismatch'],
    ['that has expired', shown(own, 'CERT_HAS_EXPIRED'), 'certificate-expired'],
    ['that nobody vouches for', shown(own, 'SELF_SIGNED_CERT_IN_CHAIN'), 'certificate-not-trusted'],
  ])('P9: MTA-STS judges a certificate %s', (_, what, type) => {
    for (const policy of [sts, testing])
      expect(demandOf(policy, host, Date.now).judge?.(what)?.type).toBe(type);
  });

  it('P9: the subject alone is no name (RFC 8461 §4.2)', () => {
    // The first name of a test certificate is its subject too.
    const subjectOnly = new X509Certificate(authority.issue([host, '192.0.2.1']).cert);
    expect(subjectOnly.checkHost(host, { subject: 'never' })).toBeDefined();
    const address = new X509Certificate(authority.issue(['192.0.2.1']).cert);
    expect(demandOf(sts, '192.0.2.1', Date.now).judge?.(shown(address))).toMatchObject({
      type: 'certificate-host-mismatch',
    });
  });
});

describe('policyFacts() and reportedPolicy()', () => {
  it('P14: name the evidence', () => {
    expect(policyFacts(undefined, undefined)).toBeUndefined();
    expect(policyFacts(sts, { type: 'certificate-expired', reason: 'expired' })).toEqual({
      kind: 'sts',
      evidence: 'policy 7 of example.net',
      fault: 'expired',
    });
    expect(policyFacts(dane, undefined)?.evidence).toMatch(/^TLSA 3 1 1 \w{16}… of real\.example\.org$/);
  });

  it('give a report the policy in the words of RFC 8460 §4.4', () => {
    expect(reportedPolicy(undefined, 'example.net')).toEqual({
      type: 'no-policy-found',
      domain: 'example.net',
      strings: [],
      mxHosts: [],
    });
    expect(reportedPolicy(dane, 'example.net')).toMatchObject({
      type: 'tlsa',
      domain: 'real.example.org',
      strings: [`3 1 1 ${digestOf(own).toString('hex')}`],
    });
    expect(reportedPolicy(sts, 'example.net')).toEqual({
      type: 'sts',
      domain: 'example.net',
      strings: ['version: STSv1', 'mode: enforce', `mx: ${host}`, 'max_age: 86400'],
      mxHosts: [host],
    });
  });
});
