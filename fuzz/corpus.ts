/** Where the seeds come from: the transcripts beside the code, and the foreign test data with its licences in testdata/. */

import { readFileSync } from 'node:fs';
import { readTranscripts } from '../src/testing/transcript-format.ts';
import { packetEnd } from './packets.ts';

const root = new URL('../', import.meta.url);

/** What the clients of a folder's transcripts send: packets in the order of their sending. */
export function transcriptSeeds(folder: string): Buffer[] {
  return readTranscripts(new URL(folder, root)).map(({ actions }) =>
    Buffer.concat(actions.flatMap((action) => (action.kind === 'send' ? [action.bytes, packetEnd] : []))),
  );
}

/** Any JSON file of testdata/, as it is. */
export function readTestdata(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`testdata/${path}`, root), 'utf8'));
}

/** Any file of testdata/. */
export const readOctets = (path: string): Buffer => readFileSync(new URL(`testdata/${path}`, root));

/** All texts at all depths of a value under the given keys, in lists too; of any key where none is given. */
export function textsIn(value: unknown, ...keys: readonly string[]): string[] {
  return texts(value, keys, keys.length === 0);
}

/** `isWanted`: it stands under one of the keys. */
function texts(value: unknown, keys: readonly string[], isWanted: boolean): string[] {
  if (typeof value === 'string') return isWanted ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => texts(item, keys, isWanted));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    texts(item, keys, keys.length === 0 || keys.includes(key)),
  );
}

export const octetsOf = (texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));
