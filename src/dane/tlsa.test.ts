import { createHash, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import type { TlsaRecord } from '../dns/resolver.ts';
import { testAuthority } from '../testing/certificates.ts';
import { usableRecords, verifyDane } from './tlsa.ts';

const now = Date.now();
const authority = testAuthority('An authority');
const issuer = new X509Certificate(authority.cert);
const certificateFor = (name: string, notAfter = now + 1e9) =>
  new X509Certificate(authority.issue([name], { notAfter }).cert);
const own = certificateFor('mx.example.net');
const context = { names: ['mx.example.net', 'example.net'], now };

const spki = (certificate: X509Certificate) => certificate.publicKey.export({ type: 'spki', format: 'der' });
const sha = (algorithm: string, octets: Buffer) => createHash(algorithm).update(octets).digest();
const record = (usage: number, selector: number, matchingType: number, data: Buffer): TlsaRecord => ({
  usage,
  selector,
  matchingType,
  data,
});
const ofKey = (usage: number, certificate: X509Certificate) =>
  record(usage, 1, 1, sha('sha256', spki(certificate)));

test.each([
  ['the certificate', record(3, 0, 0, own.raw)],
  ['its SHA-256', record(3, 0, 1, sha('sha256', own.raw))],
  ['its SHA-512', record(3, 0, 2, sha('sha512', own.raw))],
  ['the key', record(3, 1, 0, spki(own))],
  ['the SHA-256 of the key', ofKey(3, own)],
  ['the SHA-512 of the key', record(3, 1, 2, sha('sha512', spki(own)))],
])('P9: DANE-EE by %s', (_, by) => {
  expect(verifyDane([by], [own], context)).toEqual({ result: 'verified', by });
  const other = certificateFor('mx.example.net');
  expect(verifyDane([by], [other], context).result).toBe('failed');
});

test('P9: under DANE-EE neither name nor time matter (RFC 7672 §3.1.1)', () => {
  const old = certificateFor('elsewhere.example', now - 1000);
  expect(verifyDane([ofKey(3, old)], [old], context).result).toBe('verified');
});

test('P9: DANE-TA wants the chain, the name and the time to be right', () => {
  const records = [ofKey(2, issuer)];
  expect(verifyDane(records, [own, issuer], context).result).toBe('verified');
  expect(verifyDane(records, [own, issuer], { ...context, names: ['example.org'] })).toEqual({
    result: 'failed',
    reason: 'the certificate is not for example.org',
    cause: 'certificate-host-mismatch',
  });
  const old = certificateFor('mx.example.net', now - 1000);
  expect(verifyDane(records, [old, issuer], context)).toMatchObject({
    reason: expect.stringContaining('has expired'),
  });
});

test('P9: an anchor that did not issue what the host showed proves nothing', () => {
  const stranger = new X509Certificate(testAuthority('An authority').cert); // of the same name
  const verdict = verifyDane([ofKey(2, stranger)], [own, stranger], context);
  expect(verdict).toMatchObject({ result: 'failed', reason: expect.stringContaining('was not issued by') });
});

test('P9: a certificate that is no authority issues nothing, though its key matches', () => {
  const leaf = certificateFor('attacker.example');
  expect(verifyDane([ofKey(2, leaf)], [own, leaf], context)).toMatchObject({
    reason: expect.stringContaining('may not issue certificates'),
  });
});

test('P9: one of several records is enough, and no certificate is none', () => {
  const records = [ofKey(3, issuer), ofKey(2, own), ofKey(3, own)];
  expect(verifyDane(records, [own, issuer], context)).toMatchObject({ by: records[2] });
  expect(verifyDane(records, [], context)).toEqual({
    result: 'failed',
    reason: 'the host showed no certificate',
    cause: 'validation-failure',
  });
});

test('P9: the certificate of the host is no trust anchor of itself', () => {
  expect(verifyDane([ofKey(2, own)], [own], context).result).toBe('failed');
});

test('usableRecords() leaves out what SMTP does not use, and what cannot be right (RFC 7672 §3.1.3)', () => {
  const digest = sha('sha256', own.raw);
  const good = [record(3, 1, 1, digest), record(2, 0, 1, digest), record(3, 0, 0, own.raw)];
  const bad = [
    record(0, 1, 1, digest),
    record(1, 1, 1, digest),
    record(4, 1, 1, digest),
    record(3, 2, 1, digest),
    record(3, 1, 3, digest),
    record(3, 1, 2, digest),
    record(3, 1, 1, digest.subarray(1)),
    record(3, 1, 0, Buffer.alloc(0)),
  ];
  expect(usableRecords([...bad, ...good])).toEqual(good);
});

test('a certificate with a key that nobody can read is just none that a record names', () => {
  const octets = Buffer.from(issuer.raw);
  const ecPublicKey = Buffer.from('2a8648ce3d0201', 'hex');
  octets[octets.indexOf(ecPublicKey) + ecPublicKey.length - 1] = 0x7f;
  const strange = new X509Certificate(octets);
  expect(() => strange.publicKey).toThrow();
  expect(verifyDane([ofKey(2, issuer)], [own, strange], context).result).toBe('failed');
  expect(verifyDane([ofKey(2, issuer)], [own, strange, issuer], context).result).toBe('failed');
});

test('P9: a wildcard stands for a whole label (RFC 7672 §3.2.3)', () => {
  const part = certificateFor('m*.example.net');
  expect(verifyDane([ofKey(2, issuer)], [part, issuer], context).result).toBe('failed');
  const whole = certificateFor('*.example.net');
  expect(verifyDane([ofKey(2, issuer)], [whole, issuer], context).result).toBe('verified');
});
