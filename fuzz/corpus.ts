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

/** All texts at all depths of a value under the given keys; of any key where none is given. */
export function textsIn(value: unknown, ...keys: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => textsIn(item, ...keys));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    ...(typeof item === 'string' && (keys.length === 0 || keys.includes(key)) ? [item] : []),
    ...textsIn(item, ...keys),
  ]);
}

export const octetsOf = (texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));
