/** Where certificates that an authority has issued lie in the data directory, and the keys of those that are to come. */

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type KeyPair, parseKeyPair } from './key-pair.ts';

export const issuedDirectory = (dataDir: string): string => join(dataDir, 'acme');

/** Certificate, chain and key in one file, so that they are replaced together. `name` is the first of its names. */
export const issuedFile = (dataDir: string, name: string): string =>
  join(issuedDirectory(dataDir), `${fileName(name)}.pem`);

/** A key that is not in use yet. */
export const nextKeyFile = (dataDir: string, name: string): string =>
  join(issuedDirectory(dataDir), `${fileName(name)}.next-key.pem`);

const fileName = (name: string): string => name.replace(/^\*/, '_wildcard');

/** Undefined where there is none. Rejects with an Error that names the file that cannot be used. */
export async function readIssued(dataDir: string, name: string): Promise<KeyPair | undefined> {
  return readAs(issuedFile(dataDir, name), (pem) => parseKeyPair(pem, pem));
}

/** Likewise. */
export async function readNextKey(dataDir: string, name: string): Promise<KeyObject | undefined> {
  return readAs(nextKeyFile(dataDir, name), createPrivateKey);
}

async function readAs<T>(file: string, parse: (pem: string) => T): Promise<T | undefined> {
  let pem: string;
  try {
    pem = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return parse(pem);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} cannot be used (${reason}); another one will take its place`, {
      cause: error,
    });
  }
}
