/** Salvaged messages as files: the octets as they would be sent, and beside them what is known of their envelope. */

import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errorCode } from '../../errors.ts';
import type { MessageTuple } from '../rows.ts';
import { type Envelope, readEnvelope } from './envelope.ts';
import type { SalvagedLetter } from './letters.ts';

/** `messages`: octet for octet as accepted. `damaged`: not whole, or not as accepted. `lost`: nothing is left of it. */
export type Fate = 'messages' | 'damaged' | 'lost';

/** Rejects with the system's error. */
export async function makeFolders(directory: string): Promise<void> {
  for (const folder of ['messages', 'damaged', 'orphans'])
    await mkdir(join(directory, folder), { recursive: true, mode: 0o700 });
}

export interface Written {
  fate: Fate;
  /** CRC-32 of a message that is as it was accepted. */
  octetsSum?: number;
}

/** Writes what there is, and resolves to what became of the message. Rejects with errors of where it is written. */
export async function writeLetter(
  directory: string,
  spoolDirectory: string,
  { queueId, message, octets, isWhole }: SalvagedLetter,
): Promise<Written> {
  const draft = join(directory, 'damaged', `${queueId}.eml`);
  const file = await open(draft, 'w', 0o600);
  const sumBefore = crc32(octets);
  let spooled: Copied | undefined;
  try {
    await file.writeFile(octets);
    spooled = message && (await copySpooled(spoolDirectory, message, { file, sumBefore }));
  } finally {
    await file.close();
  }
  if (octets.length + (spooled?.bytes ?? 0) === 0) {
    await rm(draft);
    return { fate: 'lost' };
  }
  if (!isWhole || (message && spooled && !isAsAccepted(message, spooled))) return { fate: 'damaged' };
  await rename(draft, join(directory, 'messages', `${queueId}.eml`));
  return { fate: 'messages', octetsSum: spooled?.sumOfAll ?? sumBefore };
}

/** Beside its octets, or where they would be. */
export async function writeEnvelope(directory: string, fate: Fate, envelope: Envelope): Promise<void> {
  const text = `${JSON.stringify(envelope, null, 2)}\n`;
  await writeFile(envelopePath(directory, fate, envelope.queueId), text, { mode: 0o600 });
}

/** What writeEnvelope() wrote. */
export async function readEnvelopeOf(directory: string, fate: Fate, queueId: string): Promise<Envelope> {
  return readEnvelope(await readFile(envelopePath(directory, fate, queueId), 'utf8'));
}

const envelopePath = (directory: string, fate: Fate, queueId: string): string =>
  join(directory, fate === 'messages' ? 'messages' : 'damaged', `${queueId}.json`);

/** Where something is copied to the end of, and the CRC-32 of what is there already. */
interface Target {
  file: FileHandle;
  sumBefore: number;
}

/** What a spool file had; `sumOfAll` goes on from what stood before it. */
interface Copied {
  bytes: number;
  sum: number;
  sumOfAll: number;
}

/** The message's part of its spool file, if it has one: behind it may be the end of an earlier message. */
async function copySpooled(
  directory: string,
  [, , , , , sizeBytes, , , , name, prefixBytes]: MessageTuple,
  to: Target,
): Promise<Copied | undefined> {
  return name === null ? undefined : copyFile(join(directory, name), to, sizeBytes - prefixBytes);
}

/** As much of a file as can be read, and is wanted, to the end of another. */
export async function copyFile(
  path: string,
  { file, sumBefore }: Target,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<Copied> {
  const copied = { bytes: 0, sum: 0, sumOfAll: sumBefore };
  if (maxBytes === 0) return copied;
  const source = createReadStream(path, { end: maxBytes - 1 })[Symbol.asyncIterator]();
  for (;;) {
    const chunk = await readOn(source);
    if (chunk === undefined) return copied;
    await file.writeFile(chunk);
    copied.bytes += chunk.length;
    copied.sum = crc32(chunk, copied.sum);
    copied.sumOfAll = crc32(chunk, copied.sumOfAll);
  }
}

/** The next piece; undefined at the end, also where it is not there, or its disk cannot read on. */
async function readOn(source: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  try {
    const { done, value } = await source.next();
    return done ? undefined : value;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'EIO') return undefined;
    throw error;
  }
}

function isAsAccepted(message: MessageTuple, { bytes, sum }: Copied): boolean {
  const [, , , , , sizeBytes] = message;
  const [prefixBytes, , , spoolSum] = message.slice(10) as [number, Uint8Array, number | null, number | null];
  return bytes === sizeBytes - prefixBytes && (spoolSum === null || spoolSum === sum);
}
