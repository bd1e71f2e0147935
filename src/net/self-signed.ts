/**
 * A certificate that is signed by itself, for the time before there is another one: mail between servers is encrypted with
 * it from the first hour (RFC 7435), and a user's program asks once. Kept in one file with its key, so that it stays the same.
 */

import { createPrivateKey } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  dnsName,
  forServers,
  newEcKey,
  subjectAltNames,
  writeCertificate,
} from '../util/certificate-writer.ts';
import { replaceFile } from '../util/replace-file.ts';
import { coversName, type KeyPair, parseKeyPair } from './key-pair.ts';

const dayMs = 86_400_000;
export const selfSignedDays = 365;
/** With so little of its life left, another one is made. */
export const renewDays = 30;

/**
 * The one in the file where it is good for this name and some time yet, else a new one, with the same key: what DNS says of it
 * (DANE) stays right. Rejects with the system's error.
 */
export async function selfSignedPair(file: string, hostname: string, now: number): Promise<KeyPair> {
  const kept = await readKept(file);
  if (kept !== undefined && isGood(kept, hostname, now)) return kept;
  const key = kept === undefined ? newEcKey() : createPrivateKey(kept.key);
  const cert = writeCertificate({
    // A common name has 64 characters at most (RFC 5280, ub-common-name).
    subject: hostname.length <= 64 ? hostname : 'Posthorn',
    subjectKey: key,
    extensions: [subjectAltNames([dnsName(hostname)]), forServers],
    notBefore: now - dayMs, // for clocks that differ
    notAfter: now + selfSignedDays * dayMs,
  });
  const keyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await replaceFile(file, `${cert}${keyPem}`, 0o600);
  return parseKeyPair(cert, keyPem);
}

/** Undefined where there is none, and where what is there cannot be used. */
async function readKept(file: string): Promise<KeyPair | undefined> {
  try {
    const pem = await readFile(file, 'utf8');
    return parseKeyPair(pem, pem);
  } catch {
    return undefined; // a new one takes its place (docs/TLS.md): a server without a certificate would take no mail in TLS
  }
}

const isGood = ({ facts }: KeyPair, hostname: string, now: number): boolean =>
  coversName(facts.names, hostname) && facts.notBefore <= now && facts.notAfter - now > renewDays * dayMs;
