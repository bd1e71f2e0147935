import { describe, expect, it } from 'vitest';
import type { TlsStatus } from '../admin/shapes/certificates.ts';
import { hasTrouble, statusLines } from './tls.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const now = Date.UTC(2026, 5, 1, 12);
const facts = {
  names: ['mx.example.com'],
  notBefore: now - 30 * dayMs,
  notAfter: now + 60 * dayMs,
  issuer: 'R11',
  isSelfSigned: false,
  spkiSha256: 'ab'.repeat(32),
};
const acme = { directory: 'https://ca.example/dir', challenge: 'http-01', certificates: [] };
const text = (status: TlsStatus) => statusLines(status, now).join('\n');

describe('statusLines()', () => {
  it('says what to do where there is no TLS', () => {
    expect(text({ certificates: [] })).toBe('There is no TLS: add [tls] or [acme] to the configuration.');
  });

  it('tells of each certificate where it comes from, when it ends, and what DNS would say of it', () => {
    expect(text({ certificates: [{ ...facts, origin: 'configuration', file: '/etc/a.pem' }] })).toBe(
      [
        'mx.example.com  (from files)',
        '    issued by R11, ends 2026-07-31 12:00 UTC (in 60 days)',
        '    /etc/a.pem',
        `    TLSA 3 1 1 ${'ab'.repeat(32)}`,
      ].join('\n'),
    );
  });

  it('warns of what clients will hold against one', () => {
    const expired = { ...facts, notAfter: now - hourMs, origin: 'configuration', file: 'a' } as const;
    expect(text({ certificates: [expired] })).toContain('    WARNING: it expired 2026-06-01 11:00 UTC;');
  });

  it('warns where none is for our own name, and ends with 1', () => {
    const shownFor = 'mx.example.net';
    const status: TlsStatus = { certificates: [{ ...facts, origin: 'configuration', file: 'a', shownFor }] };
    expect(text(status)).toContain('    WARNING: it is for mx.example.com, not for mx.example.net');
    expect(hasTrouble(status, now)).toBe(true);
  });

  it('warns of files whose new content is not used, and ends with 1', () => {
    const trouble = 'Cannot use certificate a with key b: the private key does not belong to the certificate';
    const status: TlsStatus = { certificates: [{ ...facts, origin: 'configuration', file: 'a', trouble }] };
    expect(text(status)).toContain(`    WARNING: what lies in its files now is not used. ${trouble}`);
    expect(hasTrouble(status, now)).toBe(true);
    expect(hasTrouble({ certificates: [{ ...facts, origin: 'configuration', file: 'a' }] }, now)).toBe(false);
  });

  it('tells when one is renewed, and that the authority advises it', () => {
    const advice = { start: now, end: now + dayMs, explanation: 'https://ca.example/why' };
    const issued = { id: 'mx.example.com', names: facts.names, certificate: facts, failures: 0 };
    const certificates = [{ ...issued, renewAt: now + 2 * dayMs, advice }];
    const lines = text({
      certificates: [{ ...facts, origin: 'acme', file: 'a' }],
      acme: { ...acme, account: 'https://ca.example/1', certificates },
    });
    expect(lines).toContain('Authority: https://ca.example/dir, by http-01; account: https://ca.example/1');
    expect(lines).toContain('to be renewed 2026-06-03 12:00 UTC (in 2 days), as the authority advises');
    expect(lines).toContain('why: https://ca.example/why');
  });

  it('tells what failed, how often, and when it is tried again', () => {
    const failed = {
      ...{ id: 'mx.example.com', names: facts.names, failures: 3 },
      ...{ lastError: { at: now - hourMs, text: 'the authority asks to wait: too many' } },
      ...{ notBefore: now + 3 * hourMs, isAsked: true },
    };
    const lines = text({
      certificates: [{ ...facts, isSelfSigned: true, origin: 'self-signed', file: 'a' }],
      acme: { ...acme, clockAheadMs: -hourMs, certificates: [failed] },
    });
    expect(lines).toContain('mx.example.com  (of our own making)');
    expect(lines).toContain('account: none yet');
    expect(lines).toContain("WARNING: our clock is 60 minutes behind the authority's: have it set by NTP.");
    expect(lines).toContain('mx.example.com: no certificate yet');
    expect(lines).toContain('(60 minutes ago) (3 in a row): the authority asks to wait: too many');
    expect(lines).toContain('asked again 2026-06-01 15:00 UTC (in 3 hours), as the authority wants it;');
  });

  it('tells of an account that cannot be used, and ends with 1', () => {
    const status: TlsStatus = {
      certificates: [{ ...facts, origin: 'acme', file: 'a' }],
      acme: { ...acme, accountProblem: '/acme/account.json is damaged. Bring it back from a backup.' },
    };
    expect(text(status)).toContain(
      'account: not known\nWARNING: /acme/account.json is damaged. Bring it back',
    );
    expect(hasTrouble(status, now)).toBe(true);
  });

  it('tells what a new key waits for', () => {
    const nextKey = { sha256: 'cd'.repeat(32), waitsFor: 'caches', opensAt: now + 2 * hourMs };
    const issued = { id: 'mx.example.com', names: ['mx.example.com', 'b.example'], failures: 0, nextKey };
    const lines = text({
      certificates: [{ ...facts, origin: 'acme', file: 'a' }],
      acme: { ...acme, certificates: [{ ...issued, certificate: facts }] },
    });
    expect(lines).toContain('mx.example.com and 1 more: issued');
    expect(lines).toContain(`next key: TLSA 3 1 1 ${'cd'.repeat(32)}`);
    expect(lines).toContain('it waits: caches');
    expect(lines).toContain('it is used 2026-06-01 14:00 UTC (in 2 hours)');
  });

  it('tells of a certificate that is not revoked', () => {
    const issued = { id: 'mx.example.com', names: facts.names, certificate: facts, failures: 0 };
    const lines = text({
      certificates: [{ ...facts, origin: 'acme', file: 'a' }],
      acme: { ...acme, certificates: [{ ...issued, replaced: facts }] },
    });
    expect(lines).toMatch(
      / {4}the one before, which ends .* is not revoked: posthorn tls revoke mx\.example\.com/,
    );
  });

  it('tells which names are not asked for, and why', () => {
    const note = 'DNS leads none of mta-sts.example.com to this server';
    const left = { id: 'mta-sts.example.com', names: [], failures: 0, note };
    const lines = text({
      certificates: [{ ...facts, origin: 'acme', file: 'a' }],
      acme: { ...acme, certificates: [left] },
    });
    expect(lines).toContain(`    not asked for: ${note}`);
  });
});
