import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { type CertificateParts, examineCertificate } from './certificate.ts';

const dayMs = 86_400_000;
const now = Date.now();
const authority = testAuthority();
const hostname = 'mx.example.com';
const issue = (names: readonly string[], from = -dayMs, to = 60 * dayMs) =>
  new X509Certificate(authority.issue(names, { notBefore: now + from, notAfter: now + to }).cert);
const right = issue([hostname]);
const issuer = new X509Certificate(authority.cert);
const idsOf = (parts: Partial<CertificateParts>) =>
  examineCertificate({ chain: [right, issuer], hostname, now, where: 'on disk', ...parts }).map(
    ({ id, severity }) => id ?? severity,
  );

test('P12: a certificate that is right is good, in a chain or alone', () => {
  expect(idsOf({})).toEqual(['good']);
  expect(idsOf({ chain: [right] })).toEqual(['good']);
  expect(idsOf({ chain: [] })).toEqual([]);
});

test.each([
  ['certificate-expired', { chain: [issue([hostname], -90 * dayMs, -dayMs)] }],
  ['certificate-expires', { chain: [issue([hostname], -80 * dayMs, 10 * dayMs)] }],
  ['certificate-not-yet-valid', { chain: [issue([hostname], dayMs)] }],
  ['certificate-wrong-name', { chain: [issue(['www.example.com'])] }],
  ['certificate-chain', { chain: [right, issue(['stranger.example'])] }],
  ['certificate-untrusted', { chain: [right], distrust: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }],
] satisfies [string, Partial<CertificateParts>][])('P12: %s', (id, parts) => {
  expect(idsOf(parts)).toEqual([id]);
});

test('P12: an incomplete chain is told by what is missing', () => {
  const [finding] = examineCertificate({
    chain: [right],
    hostname,
    now,
    where: 'on disk',
    distrust: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  });
  expect(finding?.evidence).toContain('not its issuer CN=Posthorn test authority');
  expect(finding?.remedy).toContain('fullchain.pem');
});
