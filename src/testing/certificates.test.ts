import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { testAuthority } from './certificates.ts';

test('testAuthority() issues certificates for names and addresses', () => {
  const authority = testAuthority();
  const issued = new X509Certificate(
    authority.issue(['mx.example.net', '127.0.0.1', '2001:db8::1:0:5']).cert,
  );
  const root = new X509Certificate(authority.cert);
  expect([root.ca, issued.ca, issued.checkIssued(root)]).toEqual([true, false, true]);
  expect(issued.verify(root.publicKey)).toBe(true);
  expect(issued.checkHost('mx.example.net')).toBe('mx.example.net');
  expect(issued.checkHost('mx.example.org')).toBeUndefined();
  expect(issued.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(issued.checkIP('2001:db8::1:0:5')).toBe('2001:db8::1:0:5');
});

test('testAuthority() takes a time of validity', () => {
  const period = { notBefore: Date.UTC(2001, 1, 3, 4, 5, 6), notAfter: Date.UTC(2002, 1, 3, 4, 5, 6) };
  const { validFromDate, validToDate } = new X509Certificate(
    testAuthority().issue(['x.example'], period).cert,
  );
  expect([validFromDate.getTime(), validToDate.getTime()]).toEqual([period.notBefore, period.notAfter]);
});
