/** Takes what was salvaged into a store again: messages with the recipients that still have to get them, and people. */

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import * as v from 'valibot';
import type { ScramKeys } from '../../../sasl/scram.ts';
import { describeIssues } from '../../../util/shape-issues.ts';
import type { AccountSettings, MailingList } from '../../account-store.ts';
import type { Content } from '../../message.ts';
import { namesIn } from '../../names-in.ts';
import type { NewMessage } from '../../queue-store.ts';
import { sizeOf } from '../../size-of.ts';
import type { Spool } from '../../spool.ts';
import type { Store } from '../../store.ts';
import { type Envelope, envelopeShape, table, whole } from './envelope.ts';

export interface RestoreReport {
  messages: number;
  accounts: number;
  aliases: number;
  /** What was left out, and why. */
  skipped: { what: string; why: string }[];
  /** Of these, by queue id, the messages that are not as they were salvaged. */
  damaged: string[];
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
  const report: RestoreReport = { messages: 0, accounts: 0, aliases: 0, skipped: [], damaged: [] };
  await restoreAccounts(store, from, report);
  await restoreAliases(store, from, report);
  const names = (await namesIn(join(from, 'messages'))).filter((name) => name.endsWith('.json'));
  for (const name of names.sort()) {
    const envelope = await readJson(join(from, 'messages', name), envelopeShape);
    const leftOut = await restoreMessage({ store, from }, envelope);
    if (leftOut === undefined) report.messages += 1;
    else report.skipped.push({ what: `message ${envelope.queueId}`, why: leftOut.why });
    if (leftOut?.isDamaged) report.damaged.push(envelope.queueId);
  }
  return report;
}

const accountsShape = v.array(
  v.object({
    address: v.string(),
    passwordHash: v.string(),
    createdAt: whole,
    settings: table<AccountSettings>(),
    scramKeys: table<ScramKeys>(),
    isDoubtful: v.boolean(),
  }),
);
const aliasesShape = v.array(
  v.object({
    address: v.string(),
    targets: v.array(v.string()),
    list: table<MailingList>(),
    isDoubtful: v.boolean(),
  }),
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
  for (const { address, targets, list, isDoubtful } of all) {
    if (isDoubtful) continue;
    if ((await store.findAlias(address)) !== undefined) {
      report.skipped.push({ what: `alias ${address}`, why: 'it exists already' });
      continue;
    }
    await store.setAlias({ address, targets, ...(list && { list }) });
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

interface LeftOut {
  why: string;
  isDamaged: boolean;
}

/** Resolves to why it was left out, if it was. */
async function restoreMessage(parts: RestoreParts, envelope: Envelope): Promise<LeftOut | undefined> {
  const { queueId, message, octetsSum, recipients } = envelope;
  const leftOut = (why: string) => ({ why, isDamaged: false });
  if (message === undefined) return leftOut('nothing is known of its sender');
  if (recipients.length === 0) return leftOut('nothing is known of its recipients: send it by posthorn send');
  if ((await parts.store.listJobs({ queueId, limit: 1 })).jobs.length > 0)
    return leftOut('it is in the queue already');
  const path = join(parts.from, 'messages', `${queueId}.eml`);
  const size = await sizeOf(path);
  if (size === undefined) return { why: `${path} is missing`, isDamaged: true };
  if (size !== message.sizeBytes)
    return { why: `${path} has ${size} octets of ${message.sizeBytes}`, isDamaged: true };
  const octets = await takeOctets(parts, path, message);
  if (octetsSum !== undefined && octets.sum !== octetsSum) {
    if (octets.content.kind === 'spool') parts.store.spool.remove(basename(octets.content.path));
    return { why: `the octets of ${path} are not those that were salvaged`, isDamaged: true };
  }
  await parts.store.accept(entryOf(queueId, message, octets, recipients));
  return undefined;
}

interface Octets {
  prefix: Buffer;
  content: Content;
  /** CRC-32 of both. */
  sum: number;
}

/** Large contents into the spool of the store. */
async function takeOctets(
  { store }: RestoreParts,
  path: string,
  { prefixBytes, sizeBytes }: NonNullable<Envelope['message']>,
): Promise<Octets> {
  if (sizeBytes - prefixBytes <= inlineBytes) {
    const octets = await readFile(path);
    const content: Content = { kind: 'inline', bytes: octets.subarray(prefixBytes) };
    return { prefix: octets.subarray(0, prefixBytes), content, sum: crc32(octets) };
  }
  const prefix = await readStart(path, prefixBytes);
  return { prefix, ...(await copyToSpool(store.spool, path, prefix)) };
}

function entryOf(
  queueId: string,
  { prefixBytes: _, ...message }: NonNullable<Envelope['message']>,
  { prefix, content }: Octets,
  recipients: Envelope['recipients'],
): NewMessage {
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
    message: { queueId, ...message, prefix, content },
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

/** What follows the prefix. */
async function copyToSpool(spool: Spool, path: string, prefix: Buffer): Promise<Omit<Octets, 'prefix'>> {
  const writer = await spool.begin();
  try {
    let sum = crc32(prefix);
    for await (const chunk of createReadStream(path, { start: prefix.length })) {
      sum = crc32(chunk, sum);
      await writer.write(chunk);
    }
    return { content: await writer.commit(), sum };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
