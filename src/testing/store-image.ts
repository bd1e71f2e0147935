/**
 * The files of a store with some hundred messages, as a stop or a crash leaves them, for tests that damage them; and
 * chance that can be repeated. What was accepted and not yet delivered is known to the octet.
 */

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Content } from '../store/message.ts';
import type { NewMessage } from '../store/queue-store.ts';
import { spoolDirectory } from '../store/spool.ts';
import { openStore } from '../store/sqlite/open.ts';
import { type StoreFiles, storeFiles } from '../store/sqlite/store-files.ts';
import type { Store } from '../store/store.ts';
import { sampleEvent, sampleJob, sampleMessage } from './store.ts';

export interface StoreImage {
  dataDir: string;
  files: StoreFiles;
  /** Message octets (prefix and content) by queue id. */
  messages: ReadonlyMap<string, Buffer>;
  /** By queue id. */
  recipients: ReadonlyMap<string, readonly string[]>;
}

/** A number from 0 up to `limit`, without it. */
export type Random = (limit: number) => number;

/** Messages that may share a commit. */
const atOnce = 8;

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/**
 * Two runs of a server: the first ends in order; the second ends in order too (`stopped`) or in the middle, with the log
 * in use (`killed`). A third of the messages was delivered and is gone.
 */
export async function storeImage(
  directory: string,
  count: number,
  end: 'stopped' | 'killed',
): Promise<StoreImage> {
  const random = seeded(count);
  const workDir = join(directory, 'work');
  const messages = new Map<string, Buffer>();
  const recipients = new Map<string, string[]>();
  async function takeIn(store: Store, numbers: readonly number[]): Promise<void> {
    const letters = [];
    for (const number of numbers) letters.push(await letter(workDir, number, random));
    await Promise.all(letters.map(({ entry }) => store.accept(entry)));
    for (const [index, { entry, octets }] of letters.entries()) {
      if ((numbers[index] ?? 0) % 3 === 2) {
        await settleAll(store, entry);
        continue;
      }
      messages.set(entry.message.queueId, octets);
      recipients.set(
        entry.message.queueId,
        entry.jobs.map(({ recipient }) => recipient),
      );
    }
  }

  for (const half of [0, 1]) {
    const store = await openStore({ dataDir: workDir });
    if (half === 0) await addPeople(store);
    const numbers = Array.from({ length: count / 2 }, (_, index) => 2 * index + half);
    for (let start = 0; start < numbers.length; start += atOnce)
      await takeIn(store, numbers.slice(start, start + atOnce));
    // When this is answered, all that follows the last commit is done.
    await store.nextDue();
    if (half === 1 && end === 'killed') cpSync(workDir, join(directory, end), { recursive: true });
    await store.close();
  }
  if (end === 'stopped') cpSync(workDir, join(directory, end), { recursive: true });
  const dataDir = join(directory, end);
  return { dataDir, files: storeFiles(dataDir), messages, recipients };
}

/** A copy of an image that may be damaged. */
export async function copyImage(image: StoreImage, dataDir: string): Promise<StoreImage> {
  await mkdir(dataDir, { recursive: true });
  cpSync(image.dataDir, dataDir, { recursive: true });
  return { ...image, dataDir, files: storeFiles(dataDir) };
}

/** Turns one bit of a file round. */
export function flipBit(path: string, offset: number, bit: number): void {
  const octets = readFileSync(path);
  octets[offset] = (octets[offset] ?? 0) ^ (1 << bit);
  writeFileSync(path, octets);
}

async function addPeople(store: Store): Promise<void> {
  const accounts = Array.from({ length: 40 }, (_, number) => ({
    address: `user${number}@example.com`,
    passwordHash: `$argon2id$v=19$m=19456,t=2,p=1$${'salt'.repeat(5)}$${String(number).repeat(20)}`,
    createdAt: 1000 + number,
    ...(asks(number) && people),
  }));
  await store.addAccounts(accounts);
  await store.setAlias({ address: 'info@example.com', targets: ['user1@example.com', 'other@example.org'] });
}

/** What every fifth account has besides. */
export const people = {
  settings: { policy: 'strict', quotaBytes: 1000 },
  scramKeys: { salt: 'c2FsdA==', storedKey: 'c3RvcmVk', serverKey: 'c2VydmVy', iterations: 4096 },
} as const;

/** What every fifth message carries besides. */
export const wishes = {
  message: { requireTls: true, envid: 'QQ314159', ret: 'full' },
  job: { notify: ['failure', 'delay'], orcpt: 'rfc822;somebody@example.net' },
  memo: { source: '192.0.2.1', held: { by: 'operator', at: 1, nextAttemptAt: 2, expiresAt: 3 } },
  verdict: 'Junk; as it likes',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
} as const;

const asks = (number: number): boolean => number % 5 === 1;

/** Small letters mostly, some over several pages of the database, a few in the spool. */
async function letter(dataDir: string, number: number, random: Random) {
  const queueId = `Q${String(number).padStart(5, '0')}`;
  const prefix = Buffer.from(`Received: by mx.example.com id ${queueId}\r\n`);
  const size = number % 50 === 7 ? 100_000 : number % 10 === 3 ? 9_000 + random(50_000) : 200 + random(3000);
  const bytes = Buffer.alloc(size);
  for (let index = 0; index < size; index++) bytes[index] = 32 + random(90);
  const content =
    number % 50 === 7 ? await spooled(dataDir, queueId, bytes) : ({ kind: 'inline', bytes } as const);
  const jobs = Array.from({ length: 1 + (number % 3) }, (_, index) =>
    sampleJob(queueId, {
      number: index,
      recipient: `r${index}.of.${queueId}@example.net`,
      attempts: index,
      ...(asks(number) && { requests: wishes.job, memo: wishes.memo, verdict: wishes.verdict }),
    }),
  );
  const to = jobs.map(({ recipient }) => recipient);
  const entry = sampleMessage(queueId, {
    message: {
      prefix,
      content,
      sizeBytes: prefix.length + size,
      messageId: `<${queueId}@example.com>`,
      ...(asks(number) && { requests: wishes.message, traceparent: wishes.traceparent }),
    },
    jobs,
    events: [sampleEvent(queueId, { data: { via: 'smtp', from: 'sender@example.com', to } })],
  });
  return { entry, octets: Buffer.concat([prefix, bytes]) };
}

async function spooled(dataDir: string, queueId: string, bytes: Buffer): Promise<Content> {
  const path = join(spoolDirectory(dataDir), queueId);
  await writeFile(path, bytes);
  return { kind: 'spool', path, sizeBytes: bytes.length, sum: crc32(bytes) };
}

async function settleAll(store: Store, { message, jobs }: NewMessage): Promise<void> {
  const results = jobs.map(({ number }) => ({ number, result: 'done' as const }));
  await store.settle({ queueId: message.queueId, results, events: [], reports: [] });
}
