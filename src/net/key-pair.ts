/** A certificate with its chain and its private key: read from PEM, found to fit or not, and what it says of itself. */

import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export interface KeyPair {
  /** The certificate, then its chain; PEM. */
  cert: string;
  /** PEM. */
  key: string;
  certificate: X509Certificate;
  facts: CertificateFacts;
}

export interface CertificateFacts {
  /** DNS names in lower case, `*.example.com` among them. */
  names: readonly string[];
  /** Milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
  /** The common name or organization of who has signed it. */
  issuer: string;
  isSelfSigned: boolean;
  /** Lower-case hex of the SHA-256 of its public key, as TLSA 3 1 1 has it (RFC 6698 §2.1). */
  spkiSha256: string;
}

/** Throws an Error that completes "cannot be used: …". */
export function parseKeyPair(certPem: string, keyPem: string): KeyPair {
  const certificate = parsed('the certificate', () => new X509Certificate(certPem));
  blocksOf(certPem).forEach((block, index) => {
    parsed(`certificate ${index + 1} of its chain`, () => new X509Certificate(block));
  });
  const key = parsePrivateKey(keyPem);
  if (!certificate.checkPrivateKey(key))
    throw new Error('the private key does not belong to the certificate');
  return { cert: certPem, key: keyPem, certificate, facts: factsOf(certificate) };
}

/** Throws as `parseKeyPair()`. */
export const parsePrivateKey = (pem: string): KeyObject =>
  parsed('the private key', () => createPrivateKey(pem));

/** What OpenSSL reads behind the certificate, too: one block that is damaged, and it takes none. */
const blocksOf = (pem: string): string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?(?:-----END CERTIFICATE-----|$)/g) ?? [];

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Error(`${what} is no PEM that can be read`, { cause: error });
  }
}

/** Both may be one file. Rejects with an Error that names the files. */
export async function readKeyPair(files: { cert: string; key: string }): Promise<KeyPair> {
  const [cert, key] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8')]);
  try {
    return parseKeyPair(cert, key);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot use certificate ${files.cert} with key ${files.key}: ${reason}`, {
      cause: error,
    });
  }
}

export function factsOf(certificate: X509Certificate): CertificateFacts {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return {
    names: namesOf(certificate),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    issuer: issuerOf(certificate),
    isSelfSigned: certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey),
    spkiSha256: createHash('sha256').update(spki).digest('hex'),
  };
}

/** The common name counts only where there are no others (RFC 6125 §6.4.4). */
function namesOf({ subjectAltName, subject }: X509Certificate): string[] {
  const names = (subjectAltName ?? '')
    .split(', ')
    .flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4).toLowerCase()] : []));
  if (names.length > 0) return names;
  const commonName = partOf(subject, 'CN');
  return commonName === undefined ? [] : [commonName.toLowerCase()];
}

function issuerOf({ issuer }: X509Certificate): string {
  return partOf(issuer, 'CN') ?? partOf(issuer, 'O') ?? (issuer || 'nobody');
}

const partOf = (name: string, part: string): string | undefined =>
  name
    ?.split('\n')
    .find((line) => line.startsWith(`${part}=`))
    ?.slice(part.length + 1);

/** A wildcard stands for one label (RFC 6125 §6.4.3). */
export function coversName(names: readonly string[], name: string): boolean {
  const below = name.indexOf('.');
  return names.some((one) => one === name || (one.startsWith('*.') && one.slice(1) === name.slice(below)));
}

const hourMs = 3_600_000;

/** A certificate in its place. */
export interface ShownCertificate extends CertificateFacts {
  /** The name for which it is shown, as there is none that covers it. */
  shownFor?: string;
}

/** What clients will hold against a certificate, in words; empty where it is in order at this moment. */
export function findFaults(
  { names, notBefore, notAfter, isSelfSigned, shownFor }: ShownCertificate,
  now: number,
): string[] {
  const faults: string[] = [];
  if (now > notAfter)
    faults.push(`it expired ${dateText(notAfter)}; mail programs and servers that verify will refuse it`);
  if (now < notBefore) {
    const hours = Math.ceil((notBefore - now) / hourMs);
    faults.push(
      `it is not valid before ${dateText(notBefore)}, ${hours === 1 ? 'within the hour' : `${hours} hours from now`}: is the clock of this machine right (${dateText(now)})?`,
    );
  }
  if (isSelfSigned) faults.push('it is signed by itself: mail programs will warn of it');
  if (shownFor !== undefined)
    faults.push(
      `it is for ${names.join(', ') || 'no name'}, not for ${shownFor}: who checks it does not go on`,
    );
  return faults;
}

export const dateText = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
