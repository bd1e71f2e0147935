/** Takes what was salvaged into a store again: messages with the recipients that still have to get them, and people. */

import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { describeIssues } from '../../../util/shape-issues.ts';
import { namesIn } from '../../names-in.ts';
import type { Spool } from '../../spool.ts';
import type { Content, NewMessage, Store } from '../../store.ts';
import { type Envelope, envelopeShape, whole } from './envelope.ts';

export interface RestoreReport {
  messages: number;
  accounts: number;
  aliases: number;
  /** What was left out, and why. */
  skipped: { what: string; why: string }[];
}

export interface RestoreParts {
  store: Store;
  /** A directory that salvageStore() has written. */
  from: string;
}

/** Contents up to this many octets are kept in the database, larger ones in the spool. */
const inlineBytes = 64 * 1024;

/** A file is not what salvageStore() writes. */
export class SalvageFormatError extends Error {
  override readonly name = 'SalvageFormatError';
}

/**
 * What is there already is left as it is, so that it can be called again. Rejects as the store does, with the system's
 * errors of reading, and with SalvageFormatError.
 */
export async function restoreAll({ store, from }: RestoreParts): Promise<RestoreReport> {
  const report: RestoreReport = { messages: 0, accounts: 0, aliases: 0, skipped: [] };
  await restoreAccounts(store, from, report);
  await restoreAliases(store, from, report);
  const names = (await namesIn(join(from, 'messages'))).filter((name) => name.endsWith('.json'));
  for (const name of names.sort()) {
    const envelope = await readJson(join(from, 'messages', name), envelopeShape);
    const why = await restoreMessage({ store, from }, envelope);
    if (why === undefined) report.messages += 1;
    else report.skipped.push({ what: `message ${envelope.queueId}`, why });
  }
  return report;
}

const accountsShape = v.array(
  v.object({ address: v.string(), passwordHash: v.string(), createdAt: whole, isDoubtful: v.boolean() }),
);
const aliasesShape = v.array(
  v.object({ address: v.string(), targets: v.array(v.string()), isDoubtful: v.boolean() }),
);

async function readJson<T>(path: string, shape: v.GenericSchema<unknown, T>): Promise<T> {
  const text = await readFile(path, 'utf8');
  try {
    return v.parse(shape, JSON.parse(text));
  } catch (error) {
    const reason = error instanceof v.ValiError ? describeIssues(error.issues) : String(error);
    throw new SalvageFormatError(`${path} is not what posthorn store salvage writes: ${reason}`, {
      cause: error,
    });
  }
}

async function restoreAccounts(store: Store, from: string, report: RestoreReport): Promise<void> {
  const all = await readJson(join(from, 'accounts.json'), accountsShape);
  const accounts = all.filter(({ isDoubtful }) => !isDoubtful);
  const existing = await store.addAccounts(accounts);
  report.accounts = accounts.length - existing.length;
  for (const address of existing)
    report.skipped.push({ what: `account ${address}`, why: 'it exists already' });
  skipDoubtful(all, 'account', report);
}

async function restoreAliases(store: Store, from: string, report: RestoreReport): Promise<void> {
  const all = await readJson(join(from, 'aliases.json'), aliasesShape);
  for (const { address, targets, isDoubtful } of all) {
    if (isDoubtful) continue;
    if ((await store.findAlias(address)) !== undefined) {
      report.skipped.push({ what: `alias ${address}`, why: 'it exists already' });
      continue;
    }
    await store.setAlias({ address, targets });
    report.aliases += 1;
  }
  skipDoubtful(all, 'alias', report);
}

function skipDoubtful(
  all: readonly { address: string; isDoubtful: boolean }[],
  kind: string,
  { skipped }: RestoreReport,
): void {
  for (const { address, isDoubtful } of all)
    if (isDoubtful) skipped.push({ what: `${kind} ${address}`, why: 'its page was damaged: add it by hand' });
}

/** Resolves to why it was left out, if it was. */
async function restoreMessage(parts: RestoreParts, envelope: Envelope): Promise<string | undefined> {
  const { store, from } = parts;
  const { queueId, message, recipients } = envelope;
  if (message === undefined) return 'nothing is known of its sender';
  if (recipients.length === 0) return 'nothing is known of its recipients: send it by posthorn send';
  if ((await store.listJobs({ queueId, limit: 1 })).jobs.length > 0) return 'it is in the queue already';
  const path = join(from, 'messages', `${queueId}.eml`);
  const { size } = await stat(path);
  if (size !== message.sizeBytes) return `its file has ${size} octets of ${message.sizeBytes}`;
  await store.accept(await entryOf(parts, queueId, message, recipients));
  return undefined;
}

async function entryOf(
  { store, from }: RestoreParts,
  queueId: string,
  { prefixBytes, ...message }: NonNullable<Envelope['message']>,
  recipients: Envelope['recipients'],
): Promise<NewMessage> {
  const path = join(from, 'messages', `${queueId}.eml`);
  const isLarge = message.sizeBytes - prefixBytes > inlineBytes;
  const octets = isLarge ? await readStart(path, prefixBytes) : await readFile(path);
  const content: Content = isLarge
    ? await copyToSpool(store.spool, path, prefixBytes)
    : { kind: 'inline', bytes: octets.subarray(prefixBytes) };
  const { acceptedAt: at, reversePath: origin, sizeBytes, messageId } = message;
  const to = recipients.map(({ recipient, originalRecipient }) => originalRecipient ?? recipient);
  const data = {
    via: 'internal',
    from: origin,
    to,
    sizeBytes,
    ...(messageId !== undefined && { messageId }),
  };
  return {
    message: { queueId, ...message, prefix: octets.subarray(0, prefixBytes), content },
    jobs: recipients.map((recipient) => ({ queueId, ...recipient })),
    // Its dossier is not salvaged; this is the beginning of a new one.
    events: [{ at, queueId, event: 'accepted', data }],
    claimed: false,
  };
}

async function readStart(path: string, bytes: number): Promise<Buffer> {
  if (bytes === 0) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: bytes - 1 })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function copyToSpool(spool: Spool, path: string, start: number): Promise<Content> {
  const writer = await spool.begin();
  try {
    for await (const chunk of createReadStream(path, { start })) await writer.write(chunk);
    return await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
