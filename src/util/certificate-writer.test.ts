import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import {
  dnsName,
  forAuthorities,
  forServers,
  newEcKey,
  subjectAltNames,
  writeCertificate,
  writeRequest,
} from './certificate-writer.ts';

const validity = { notBefore: Date.UTC(2026, 0), notAfter: Date.UTC(2027, 0) };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

it.each([
  ['ECDSA', newEcKey()],
  ['RSA', rsa],
])('writeCertificate() signs with %s, so that OpenSSL verifies it', (_, key) => {
  const issuer = new X509Certificate(
    writeCertificate({ subject: 'CA', subjectKey: key, extensions: forAuthorities, ...validity }),
  );
  const subjectKey = newEcKey();
  const issued = new X509Certificate(
    writeCertificate({
      ...{ subject: 'mx.example.com', subjectKey, ...validity, issuer: { name: 'CA', key } },
      extensions: [subjectAltNames([dnsName('mx.example.com')]), forServers],
    }),
  );
  expect(issuer.verify(issuer.publicKey)).toBe(true);
  expect(issuer.ca).toBe(true);
  expect(issued.verify(issuer.publicKey)).toBe(true);
  expect(issued.checkIssued(issuer)).toBe(true);
  expect(issued.checkPrivateKey(subjectKey)).toBe(true);
  expect(issued.checkHost('mx.example.com')).toBe('mx.example.com');
  expect(issued.validToDate.getTime()).toBe(validity.notAfter);
});

it('writeCertificate() takes a key of which only the public part is known', () => {
  const key = newEcKey();
  const subjectKey = createPublicKey(key);
  const issuer = { name: 'CA', key: newEcKey() };
  const wanted = { subject: 'a', subjectKey, extensions: [forServers], ...validity, issuer };
  expect(new X509Certificate(writeCertificate(wanted)).checkPrivateKey(key)).toBe(true);
});

it('writeRequest() holds the names and the key', () => {
  const key = newEcKey();
  const request = writeRequest(['mx.example.com', '*.example.org'], key);
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  for (const part of [spki, Buffer.from('mx.example.com'), Buffer.from('*.example.org')])
    expect(request.includes(part)).toBe(true);
});
