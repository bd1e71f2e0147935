/**
 * A private certificate authority for tests and the playground: certificates for names and addresses, signed at once
 * (ECDSA P-256). Writes just the DER (X.690) of the certificates it needs (RFC 5280), on node:crypto alone.
 */

import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { canonicalAddress, findFamily } from '../net/addresses.ts';

/** Both PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

export interface TestAuthority {
  /** What those must trust who are to believe its certificates, PEM. */
  cert: string;
  /** A server certificate for host names and IP addresses; the first is its subject. */
  issue(names: readonly string[], validity?: Partial<Validity>): Certificate;
}

export interface Validity {
  /** Milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
}

const dayMs = 86_400_000;

export function testAuthority(name = 'Posthorn test authority'): TestAuthority {
  const authority = newKey();
  const issuer = distinguishedName(name);
  const own = { subject: issuer, subjectKey: authority, extensions: authorityExtensions, ...validity({}) };
  return {
    cert: signed(own, issuer, authority),
    issue(names, period = {}) {
      const subjectKey = newKey();
      const subject = distinguishedName(names[0] ?? 'nobody');
      const extensions = serverExtensions(names);
      const cert = signed({ subject, subjectKey, extensions, ...validity(period) }, issuer, authority);
      return { cert, key: subjectKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

/** From yesterday, for clocks that differ, to a year from now. */
function validity({
  notBefore = Date.now() - dayMs,
  notAfter = Date.now() + 365 * dayMs,
}: Partial<Validity>): Validity {
  return { notBefore, notAfter };
}

interface ToBeSigned extends Validity {
  subject: Buffer;
  subjectKey: KeyObject;
  extensions: Buffer[];
}

/** RFC 5280 §4.1: the certificate, version 3, with its signature, in PEM. */
function signed(wanted: ToBeSigned, issuer: Buffer, key: KeyObject): string {
  const { subject, subjectKey, extensions, notBefore, notAfter } = wanted;
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256
  const body = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    issuer,
    sequence(utcTime(notBefore), utcTime(notAfter)),
    subject,
    createPublicKey(subjectKey).export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions, ...keyIdentifiers(subjectKey, key))),
  );
  return pem(sequence(body, algorithm, bitString(sign('sha256', body, key))));
}

const isCritical = der(0x01, Buffer.of(0xff));
const authorityExtensions = [
  extension('2.5.29.19', sequence(der(0x01, Buffer.of(0xff))), isCritical), // basicConstraints: a CA
  extension('2.5.29.15', der(0x03, Buffer.of(1, 0x06)), isCritical), // keyUsage: keyCertSign, cRLSign
];

function serverExtensions(names: readonly string[]): Buffer[] {
  return [
    extension('2.5.29.17', sequence(...names.map(alternativeName))),
    extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))), // extKeyUsage: serverAuth
  ];
}

/** Names subject's and issuer's keys (RFC 5280 §4.2.1.1, §4.2.1.2); strict verifiers insist on it. */
function keyIdentifiers(subjectKey: KeyObject, issuerKey: KeyObject): Buffer[] {
  return [
    extension('2.5.29.14', der(0x04, keyDigest(subjectKey))),
    extension('2.5.29.35', sequence(der(0x80, keyDigest(issuerKey)))),
  ];
}

function keyDigest(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest();
}

function extension(id: string, value: Buffer, ...critical: Buffer[]): Buffer {
  return sequence(oid(id), ...critical, der(0x04, value));
}

function alternativeName(name: string): Buffer {
  return findFamily(name) === undefined ? der(0x82, Buffer.from(name)) : der(0x87, addressOctets(name));
}

function addressOctets(address: string): Buffer {
  if (findFamily(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = canonicalAddress(address).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** A name of one part, its common name, as UTF8String. */
function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
}

function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), body]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function explicit(number: number, part: Buffer): Buffer {
  return der(0xa0 + number, part);
}

/** Of octets whose first bit is not set. */
function integer(octets: Buffer): Buffer {
  return der(0x02, octets);
}

function bitString(octets: Buffer): Buffer {
  return der(0x03, Buffer.of(0), octets);
}

/** For dates before 2050 (RFC 5280 §4.1.2.5.1). */
function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+Z$|\D/g, '');
  return der(0x17, Buffer.from(`${digits.slice(2)}Z`));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Seven bits an octet, the first bit set on all but the last. */
function base128(value: number): number[] {
  const octets = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) octets.unshift((rest & 0x7f) | 0x80);
  return octets;
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
