/**
 * Which certificate this server shows for a name, from the files that it has: those of the configuration first, then those of
 * an authority, then the one of our own making (`Certificates` in net/tls-context.ts chooses in the same order). A file that
 * cannot be used keeps its place: what would be shown for its names is not known.
 */

import { createHash, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config, PairConfig } from '../config/config.ts';
import { type WantedCertificate, wantedCertificates } from '../config/wanted-certificates.ts';
import { issuedFile, nextKeyFile, readAs, readIssued, readNextKey } from '../net/issued-files.ts';
import { type CertificateFacts, coversName, dateText, type KeyPair, parseKeyPair } from '../net/key-pair.ts';
import type { FileRead } from '../util/json-file.ts';
import type { UnusableFile } from './unusable-file.ts';
import type { RecordFacts } from './wanted-record.ts';

/** `names` of one that cannot be used: what it is for; absent: that is not known. */
export type OwnCertificate = { isConfigured?: true } & (
  | { facts: CertificateFacts }
  | { unusable: UnusableFile; names?: readonly string[] }
);

export type OwnCertificates = readonly OwnCertificate[];

export const unusableIn = (one: OwnCertificate): UnusableFile[] => ('unusable' in one ? [one.unusable] : []);

/** In the order in which they are preferred. */
export async function readOwnCertificates(config: Config): Promise<OwnCertificates> {
  const { tls, certificates, acme, dataDir, hostname } = config;
  if (tls === undefined && certificates.length === 0 && acme === undefined) return [];
  const files = [...(tls?.cert === undefined ? [] : [tls]), ...certificates];
  const configured = await Promise.all(files.map(readConfigured));
  const wanted = acme === undefined ? [] : awaitedCertificates(config, configured);
  const issued = await Promise.all(
    wanted.map(async ({ id: name, names }) => {
      const place = { role: 'issued', file: issuedFile(dataDir, name), name } as const;
      return asOwn(await readIssued(dataDir, name), place, names);
    }),
  );
  const others = [...configured, ...issued.flat()];
  const selfSigned = tls?.cert === undefined ? await readSelfSigned(config) : [];
  // Where there is another, nobody is shown it.
  return findShown(others, hostname) === undefined ? [...others, ...selfSigned] : others;
}

/** Those that are to come from the authority: what a file is for is not asked for. */
export function awaitedCertificates(config: Config, all: OwnCertificates): WantedCertificate[] {
  const configured = all.flatMap((one) => (one.isConfigured && 'facts' in one ? [one.facts] : []));
  return wantedCertificates(config, (name) => configured.some(({ names }) => coversName(names, name)));
}

async function readConfigured({ cert, key }: PairConfig): Promise<OwnCertificate> {
  try {
    const [certPem, keyPem] = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8')]);
    return { isConfigured: true, facts: parseKeyPair(certPem, keyPem).facts };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const problem = `cannot be used with ${key} (${reason})`;
    const isForbidden = error instanceof Error && 'code' in error && error.code === 'EACCES';
    return {
      isConfigured: true,
      unusable: { role: 'configured', file: cert, problem, ...(isForbidden && { isForbidden }) },
    };
  }
}

async function readSelfSigned({ dataDir, hostname }: Config): Promise<OwnCertificate[]> {
  const file = join(dataDir, 'tls', 'self-signed.pem');
  const read = await readAs(file, (pem) => parseKeyPair(pem, pem));
  return asOwn(read, { role: 'self-signed', file }, [hostname]);
}

function asOwn(
  read: FileRead<KeyPair>,
  place: Omit<UnusableFile, 'problem'>,
  names: readonly string[],
): OwnCertificate[] {
  if ('problem' in read) return [{ unusable: { ...place, ...read }, names }];
  return read.value === undefined ? [] : [{ facts: read.value.facts }];
}

function findShown(all: OwnCertificates, name: string): OwnCertificate | undefined {
  return all.find((one) => {
    const names = 'facts' in one ? one.facts.names : one.names;
    return names === undefined || coversName(names, name);
  });
}

/**
 * Whose key is shown on port 25 to whoever asks for our name, or for none; and the key that is to come. None at all where one
 * of them cannot be told: the list of such records is whole, or it is wrong.
 */
export async function readTlsKeys(
  { hostname, acme, tls, dataDir }: Config,
  all: OwnCertificates,
): Promise<Pick<RecordFacts, 'tlsKeys'> & { unusable?: UnusableFile }> {
  const shown = findShown(all, hostname) ?? all[0];
  const current = shown && 'facts' in shown ? shown.facts.spkiSha256 : undefined;
  const isAwaited = acme !== undefined && tls?.cert === undefined;
  const read = isAwaited ? await readNextKey(dataDir, hostname) : { value: undefined };
  if ('problem' in read) {
    const file = nextKeyFile(dataDir, hostname);
    return { tlsKeys: [], unusable: { role: 'next-key', file, ...read } };
  }
  if (shown !== undefined && current === undefined) return { tlsKeys: [] };
  const info = read.value && createPublicKey(read.value).export({ type: 'spki', format: 'der' });
  const next = info && createHash('sha256').update(info).digest('hex');
  return {
    tlsKeys: [
      ...(current === undefined ? [] : [{ sha256: current, role: 'current' as const }]),
      ...(next === undefined || next === current ? [] : [{ sha256: next, role: 'next' as const }]),
    ],
  };
}

/** Why others do not believe what we show for a name, as far as can be seen from here; undefined where nothing speaks against it. */
export function findLack(all: OwnCertificates, name: string, now: number): string | undefined {
  const shown = findShown(all, name);
  if (shown === undefined) return `no certificate of this server is for ${name}`;
  if ('unusable' in shown) return `${shown.unusable.file} ${shown.unusable.problem}`;
  const { isSelfSigned, notBefore, notAfter } = shown.facts;
  if (isSelfSigned) return `the certificate for ${name} is signed by itself`;
  if (now > notAfter) return `the certificate for ${name} expired ${dateText(notAfter)}`;
  if (now < notBefore) return `the certificate for ${name} is not valid before ${dateText(notBefore)}`;
  return undefined;
}
