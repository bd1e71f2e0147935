import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  dnsName,
  forServers,
  newEcKey,
  subjectAltNames,
  writeCertificate,
} from '../util/certificate-writer.ts';
import { certificateId, readRenewalInfo } from './renewal-info.ts';

describe('readRenewalInfo()', () => {
  const read = (value: unknown) => readRenewalInfo(Buffer.from(JSON.stringify(value)));

  it('reads a window, and why', () => {
    const suggestedWindow = { start: '2026-01-02T04:00:00Z', end: '2026-01-03T04:00:00Z' };
    expect(read({ suggestedWindow, explanationURL: 'https://ca.example/why' })).toEqual({
      start: Date.UTC(2026, 0, 2, 4),
      end: Date.UTC(2026, 0, 3, 4),
      explanation: 'https://ca.example/why',
    });
  });

  it.each([
    ['nothing', {}],
    ['a list', []],
    ['no dates', { suggestedWindow: { start: 'soon', end: 'later' } }],
    ['dates of another form', { suggestedWindow: { start: '1', end: 'Jan 2 2020' } }],
    ['a day without its hour', { suggestedWindow: { start: '2026-01-02', end: '2026-01-03' } }],
  ])('refuses %s', (_, value) => {
    expect(() => read(value)).toThrow('has no window');
  });

  it.each(['2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z', '2026-01-03T01:00:00+01:00'])(
    'refuses a window that ends before it begins, or as it does: %s (RFC 9773 §4.2)',
    (end) => {
      const suggestedWindow = { start: '2026-01-03T00:00:00Z', end };
      expect(() => read({ suggestedWindow })).toThrow('ends before it begins');
    },
  );
});

describe('certificateId()', () => {
  it('is the identifier of the issuer’s key and the serial number, as DER has them', () => {
    const key = newEcKey();
    const certificate = new X509Certificate(
      writeCertificate({
        ...{ subject: 'mx.example.com', subjectKey: key, notBefore: 0, notAfter: Date.UTC(2040, 0) },
        extensions: [subjectAltNames([dnsName('mx.example.com')]), forServers],
      }),
    );
    const [issuer = '', serial = ''] = certificateId(certificate)?.split('.') ?? [];
    const at = certificate.raw.indexOf(Buffer.from('551d23', 'hex'));
    expect(certificate.raw.subarray(at).includes(Buffer.from(issuer, 'base64url'))).toBe(true);
    expect(Buffer.from(issuer, 'base64url')).toHaveLength(20);
    expect(Buffer.from(serial, 'base64url').toString('hex').toUpperCase()).toBe(certificate.serialNumber);
  });

  it('is that of RFC 9773 §4.1: a serial number whose first bit is set has a zero in front', () => {
    const issuer = '69885b6b87464041e1b37b847ba0ae2cde01c8d4';
    const extension = Buffer.from(`0603551d23041830168014${issuer}`, 'hex');
    const certificate = { raw: extension, serialNumber: '8765432100' } as X509Certificate; // all that it looks at
    const [key, serial = ''] = certificateId(certificate)?.split('.') ?? [];
    expect(key).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ');
    expect(Buffer.from(serial, 'base64url').toString('hex')).toBe('008765432100');
  });

  it('is none where a certificate names no issuer’s key', () => {
    const raw = Buffer.from('0603551d23', 'hex');
    expect(certificateId({ raw, serialNumber: '01' } as X509Certificate)).toBeUndefined();
    expect(certificateId({ raw: Buffer.of(1), serialNumber: '01' } as X509Certificate)).toBeUndefined();
  });
});
