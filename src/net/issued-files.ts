/** Where certificates that an authority has issued lie in the data directory, and the keys of those that are to come. */

import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { type FileRead, readText } from '../util/json-file.ts';
import { type KeyPair, parseKeyPair, parsePrivateKey } from './key-pair.ts';

export const issuedDirectory = (dataDir: string): string => join(dataDir, 'acme');

/** Certificate, chain and key in one file, so that they are replaced together. `name` is the first of its names. */
export const issuedFile = (dataDir: string, name: string): string =>
  join(issuedDirectory(dataDir), `${fileName(name)}.pem`);

/** A key that is not in use yet. */
export const nextKeyFile = (dataDir: string, name: string): string =>
  join(issuedDirectory(dataDir), `${fileName(name)}.next-key.pem`);

/** The one before, whose key others may know, until it is revoked. */
export const replacedFile = (dataDir: string, name: string): string =>
  join(issuedDirectory(dataDir), `${fileName(name)}.replaced.pem`);

const fileName = (name: string): string => name.replace(/^\*/, '_wildcard');

export async function readIssued(dataDir: string, name: string): Promise<FileRead<KeyPair>> {
  return readAs(issuedFile(dataDir, name), (pem) => parseKeyPair(pem, pem));
}

export async function readReplaced(dataDir: string, name: string): Promise<FileRead<KeyPair>> {
  return readAs(replacedFile(dataDir, name), (pem) => parseKeyPair(pem, pem));
}

export async function readNextKey(dataDir: string, name: string): Promise<FileRead<KeyObject>> {
  return readAs(nextKeyFile(dataDir, name), parsePrivateKey);
}

/** For any file that is kept so. `parse` throws an Error that completes "cannot be used: …". */
export async function readAs<T>(file: string, parse: (pem: string) => T): Promise<FileRead<T>> {
  const read = await readText(file);
  if ('problem' in read) return read;
  if (read.value === undefined) return { value: undefined };
  try {
    return { value: parse(read.value) };
  } catch (error) {
    return { problem: `cannot be used (${error instanceof Error ? error.message : String(error)})` };
  }
}
