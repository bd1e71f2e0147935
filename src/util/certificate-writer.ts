/**
 * Certificates and requests for them, written for keys of ours: a certificate signed by itself, one signed by an authority
 * (of tests), and a request to one. RFC 5280, RFC 2986. Knows keys and names, and nothing of files or servers.
 */

import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import {
  bitString,
  der,
  explicit,
  integer,
  isTrue,
  octetString,
  oid,
  pem,
  sequence,
  set,
  utcTime,
  utf8,
} from './der.ts';

export interface Validity {
  /** Milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
}

export interface CertificateWanted extends Validity {
  /** Its common name, of 64 characters at most. */
  subject: string;
  subjectKey: KeyObject;
  extensions: readonly Buffer[];
  /** Absent: the subject signs for itself. */
  issuer?: { name: string; key: KeyObject };
}

/** A certificate, version 3, in PEM (RFC 5280 §4.1). Keys are ECDSA or RSA. */
export function writeCertificate(wanted: CertificateWanted): string {
  const { subject, subjectKey, extensions, notBefore, notAfter } = wanted;
  const issuer = wanted.issuer ?? { name: subject, key: subjectKey };
  const algorithm = signatureAlgorithm(issuer.key);
  const body = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer.name),
    sequence(utcTime(notBefore), utcTime(notAfter)),
    distinguishedName(subject),
    publicKeyInfo(subjectKey),
    explicit(3, sequence(...extensions, ...keyIdentifiers(subjectKey, issuer.key))),
  );
  return pem('CERTIFICATE', sequence(body, algorithm, bitString(sign('sha256', body, issuer.key))));
}

/** A request for a certificate of these names, as DER (RFC 2986 §4). It names no subject: authorities go by the names. */
export function writeRequest(names: readonly string[], key: KeyObject): Buffer {
  const extensionRequest = sequence(
    oid('1.2.840.113549.1.9.14'),
    set(sequence(subjectAltNames(names.map(dnsName)))),
  );
  const body = sequence(integer(Buffer.of(0)), sequence(), publicKeyInfo(key), der(0xa0, extensionRequest));
  return sequence(body, signatureAlgorithm(key), bitString(sign('sha256', body, key)));
}

export const newEcKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

export function extension(id: string, value: Buffer, options: { critical?: boolean } = {}): Buffer {
  return sequence(oid(id), ...(options.critical ? [isTrue] : []), octetString(value));
}

export const subjectAltNames = (names: readonly Buffer[]): Buffer =>
  extension('2.5.29.17', sequence(...names));

export const dnsName = (name: string): Buffer => der(0x82, Buffer.from(name));

/** extKeyUsage: serverAuth. */
export const forServers: Buffer = extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1')));

/** basicConstraints: a CA; keyUsage: keyCertSign, cRLSign. */
export const forAuthorities: readonly Buffer[] = [
  extension('2.5.29.19', sequence(isTrue), { critical: true }),
  extension('2.5.29.15', der(0x03, Buffer.of(1, 0x06)), { critical: true }),
];

/** Names subject's and issuer's keys (RFC 5280 §4.2.1.1, §4.2.1.2); strict verifiers insist on it. */
function keyIdentifiers(subjectKey: KeyObject, issuerKey: KeyObject): Buffer[] {
  return [
    extension('2.5.29.14', octetString(keyDigest(subjectKey))),
    extension('2.5.29.35', sequence(der(0x80, keyDigest(issuerKey)))),
  ];
}

const keyDigest = (key: KeyObject): Buffer => createHash('sha1').update(publicKeyInfo(key)).digest();

const publicKeyInfo = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });

function signatureAlgorithm(key: KeyObject): Buffer {
  // ecdsa-with-SHA256 has no parameters (RFC 5758 §3.2), sha256WithRSAEncryption has a NULL (RFC 4055 §5).
  if (key.asymmetricKeyType === 'ec') return sequence(oid('1.2.840.10045.4.3.2'));
  return sequence(oid('1.2.840.113549.1.1.11'), der(0x05));
}

/** A name of one part, its common name. */
const distinguishedName = (commonName: string): Buffer =>
  sequence(set(sequence(oid('2.5.4.3'), utf8(commonName))));
