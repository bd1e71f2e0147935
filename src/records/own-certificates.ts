/**
 * Which certificate this server shows for a name, from the files that it has: those of the configuration first, then those of
 * an authority, then the one of our own making (`Certificates` in net/tls-context.ts chooses in the same order).
 */

import { createHash, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { wantedCertificates } from '../config/wanted-certificates.ts';
import { readIssued, readNextKey } from '../net/issued-files.ts';
import {
  type CertificateFacts,
  coversName,
  dateText,
  type KeyPair,
  parseKeyPair,
  readKeyPair,
} from '../net/key-pair.ts';
import type { RecordFacts } from './wanted-record.ts';

export type OwnCertificates = readonly CertificateFacts[];

/** In the order in which they are preferred. Rejects with an Error that names the file that cannot be used. */
export async function readOwnCertificates(config: Config): Promise<OwnCertificates> {
  const { tls, certificates, acme, dataDir } = config;
  if (tls === undefined && certificates.length === 0 && acme === undefined) return [];
  const files = [...(tls?.cert === undefined ? [] : [tls]), ...certificates];
  const configured = (await Promise.all(files.map(readKeyPair))).map(({ facts }) => facts);
  const isCovered = (name: string) => configured.some(({ names }) => coversName(names, name));
  const wanted = acme === undefined ? [] : wantedCertificates(config, isCovered);
  const issued = await Promise.all(wanted.map(({ id }) => readIssued(dataDir, id)));
  const own = tls?.cert === undefined ? await findSelfSigned(dataDir) : undefined;
  const made = [...issued, own].flatMap((pair) => (pair === undefined ? [] : [pair.facts]));
  return [...configured, ...made];
}

async function findSelfSigned(dataDir: string): Promise<KeyPair | undefined> {
  const file = join(dataDir, 'tls', 'self-signed.pem');
  const pem = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return pem === undefined ? undefined : parseKeyPair(pem, pem);
}

/** Whose key is shown on port 25 to whoever asks for our name, or for none; and the key that is to come. */
export async function tlsKeysOf(config: Config, all: OwnCertificates): Promise<RecordFacts['tlsKeys']> {
  const { hostname, acme, tls, dataDir } = config;
  const shown = all.find(({ names }) => coversName(names, hostname)) ?? all[0];
  const next = acme === undefined || tls?.cert !== undefined ? undefined : await nextKeyOf(dataDir, hostname);
  return [
    ...(shown === undefined ? [] : [{ sha256: shown.spkiSha256, role: 'current' as const }]),
    ...(next === undefined || next === shown?.spkiSha256 ? [] : [{ sha256: next, role: 'next' as const }]),
  ];
}

async function nextKeyOf(dataDir: string, hostname: string): Promise<string | undefined> {
  const key = await readNextKey(dataDir, hostname);
  const info = key && createPublicKey(key).export({ type: 'spki', format: 'der' });
  return info && createHash('sha256').update(info).digest('hex');
}

/** Why others do not believe what we show for a name, as far as can be seen from here; undefined where nothing speaks against it. */
export function findLack(all: OwnCertificates, name: string, now: number): string | undefined {
  const shown = all.find(({ names }) => coversName(names, name));
  if (shown === undefined) return `no certificate of this server is for ${name}`;
  if (shown.isSelfSigned) return `the certificate for ${name} is signed by itself`;
  if (now > shown.notAfter) return `the certificate for ${name} expired ${dateText(shown.notAfter)}`;
  if (now < shown.notBefore)
    return `the certificate for ${name} is not valid before ${dateText(shown.notBefore)}`;
  return undefined;
}
