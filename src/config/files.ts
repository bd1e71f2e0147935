/**
 * The files that a configuration names must exist, be readable and hold what they should: found at the start, not when
 * the first client wants TLS or the first message its signature. Reads them; keeps nothing of them.
 */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { access, constants, readFile } from 'node:fs/promises';
import { parseDkimKey } from '../authentication/dkim-key.ts';
import type { Draft, Finding, PairDraft } from './draft.ts';
import type { KeyPath } from './problem.ts';
import type { DkimConfig } from './receiving.ts';
import { parsePassword, readSecret, type SecretSource } from './secret.ts';

export async function checkFiles(
  {
    tls,
    certificates,
    domains,
    transports,
    clientSecretFile,
    metricsTokenFile,
    acme,
    delivery: { caFile },
  }: Draft,
  { checkCertificates = true }: { checkCertificates?: boolean } = {},
): Promise<Finding[]> {
  const pairs: [PairDraft, KeyPath][] = [
    [tls, ['tls']],
    ...certificates.map((pair, index): [PairDraft, KeyPath] => [pair, ['certificate', index]]),
  ];
  const findings = await Promise.all([
    ...(checkCertificates ? pairs : []).map(([pair, path]) => checkPair(pair, path)),
    caFile === undefined ? [] : checkAuthorities(caFile, ['delivery', 'caFile']),
    acme === undefined ? [] : checkAcme(acme),
    ...domains.flatMap(({ dkim = [], name = 'DOMAIN' }, index) =>
      dkim.map((each, number) =>
        checkDkim(each, name, ['domain', index, 'dkim', ...(dkim.length > 1 ? [number] : []), 'key']),
      ),
    ),
    clientSecretFile === undefined
      ? []
      : checkPassword(clientSecretFile, ['oauth', 'introspection', 'clientSecretFile']),
    metricsTokenFile === undefined ? [] : checkPassword(metricsTokenFile, ['web', 'metricsTokenFile']),
    ...transports.flatMap(({ passwordFile, protocol, command }, index) => [
      passwordFile === undefined ? [] : checkPassword(passwordFile, ['transport', index, 'passwordFile']),
      protocol === 'pipe' && command?.[0]?.startsWith('/')
        ? checkProgram(command[0], ['transport', index, 'command', 0])
        : [],
    ]),
  ]);
  return findings.flat();
}

/** Either what a file holds, read by `parse`, or what is wrong with it. */
type Loaded<T> = { content: T } | { finding: Finding };

interface Expected<T> {
  path: KeyPath;
  file: string;
  /** Completes "FILE is not …". */
  what: string;
  remedy: string;
  parse(content: Buffer): T;
}

async function load<T>({ path, file, what, remedy, parse }: Expected<T>): Promise<Loaded<T>> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    return { finding: { path, ...unreadable(file, error, remedy) } };
  }
  try {
    return { content: parse(bytes) };
  } catch (error) {
    const detail = error instanceof Error ? ` (${error.message})` : '';
    return { finding: { path, what: `${file} is not ${what}${detail}`, remedy } };
  }
}

function unreadable(file: string, error: unknown, remedy: string): { what: string; remedy: string } {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return { what: `there is no file ${file}`, remedy };
  if (code === 'EACCES') {
    return {
      what: `${file} may not be read by this user`,
      remedy:
        'Run this as the user that the server runs as, or as root. If that is who may not: give it the right (chown).',
    };
  }
  return { what: `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`, remedy };
}

async function checkPair({ cert, key }: PairDraft, path: KeyPath): Promise<Finding[]> {
  const certificate = cert === undefined ? undefined : await loadCertificate(cert, path);
  const privateKey = key === undefined ? undefined : await loadPrivateKey(key, path);
  const findings = [certificate, privateKey].flatMap((loaded) =>
    loaded && 'finding' in loaded ? [loaded.finding] : [],
  );
  if (!certificate || !privateKey || 'finding' in certificate || 'finding' in privateKey) return findings;
  if (certificate.content.checkPrivateKey(privateKey.content)) return [];
  const what = `the private key in ${key} does not belong to the certificate in ${cert}`;
  return [{ path: [...path, 'key'], what, remedy: 'Name the key that the certificate was made for.' }];
}

const tableText = ([table]: KeyPath): string => (table === 'tls' ? '[tls]' : 'this [[certificate]]');

const loadCertificate = (file: string, path: KeyPath) =>
  load({
    path: [...path, 'cert'],
    file,
    what: 'a PEM certificate',
    remedy: `Name the file with the certificate and its chain, or remove ${tableText(path)}.`,
    parse: (bytes) => new X509Certificate(bytes),
  });

const loadPrivateKey = (file: string, path: KeyPath) =>
  load({
    path: [...path, 'key'],
    file,
    what: 'an unencrypted PEM private key',
    remedy: `Name the file with the certificate's private key, or remove ${tableText(path)}.`,
    parse: (bytes) => createPrivateKey(bytes),
  });

async function checkAcme({ caFile, eabKeyFile, hook }: NonNullable<Draft['acme']>): Promise<Finding[]> {
  const [program] = hook ?? [];
  const findings = await Promise.all([
    caFile === undefined ? [] : checkAuthorities(caFile, ['acme', 'caFile']),
    eabKeyFile === undefined ? [] : checkPassword(eabKeyFile, ['acme', 'eabKeyFile']),
    program === undefined || !program.startsWith('/') ? [] : checkProgram(program, ['acme', 'hook', 0]),
  ]);
  return findings.flat();
}

async function checkAuthorities(file: string, path: KeyPath): Promise<Finding[]> {
  const loaded = await load({
    path,
    file,
    what: 'a PEM file of certificates',
    remedy: 'Name a file with one or more PEM certificates, or remove this line.',
    parse: (bytes) => new X509Certificate(bytes),
  });
  return 'finding' in loaded ? [loaded.finding] : [];
}

async function checkPassword(source: SecretSource, path: KeyPath): Promise<Finding[]> {
  if ('env' in source) return checkVariable(source, path);
  const { file } = source;
  const remedy =
    'Put the password on the first line of a file that only the user who runs posthorn may read.';
  const loaded = await load({ path, file, what: 'a file with a password', remedy, parse: parsePassword });
  return 'finding' in loaded ? [loaded.finding] : [];
}

async function checkVariable(source: { env: string }, path: KeyPath): Promise<Finding[]> {
  try {
    await readSecret(source);
    return [];
  } catch (error) {
    const remedy = `Set ${source.env} where posthorn is started (systemd: EnvironmentFile=), or name a file.`;
    return [{ path, what: error instanceof Error ? error.message : String(error), remedy }];
  }
}

async function checkProgram(program: string, path: KeyPath): Promise<Finding[]> {
  try {
    await access(program, constants.X_OK);
    return [];
  } catch {
    const what = `there is no program ${program} that this user may run`;
    return [{ path, what, remedy: 'Give the full path of a program that is there.' }];
  }
}

async function checkDkim({ selector, key }: DkimConfig, domain: string, path: KeyPath): Promise<Finding[]> {
  const remedy = `Make one: posthorn dkim generate ${domain} --selector ${selector} --out ${key}`;
  const parse = (pem: Buffer) => parseDkimKey(pem.toString());
  const loaded = await load({ path, file: key, what: 'a DKIM key', remedy, parse });
  return 'finding' in loaded ? [loaded.finding] : [];
}
