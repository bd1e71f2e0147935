import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory, textOf } from '../../../testing/store.ts';
import { flipBit, people, type StoreImage, storeImage, wishes } from '../../../testing/store-image.ts';
import { readContent } from '../../content.ts';
import { openStore } from '../open.ts';
import { restoreAll, SalvageFormatError } from './restore.ts';
import { salvageStore } from './salvage.ts';

let directory: TemporaryDirectory;
let image: StoreImage;
let salvaged: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  image = await storeImage(directory.path, 60, 'killed');
  salvaged = join(directory.path, 'salvaged');
  await salvageStore(image.dataDir, salvaged);
});
afterAll(() => directory[Symbol.asyncDispose]());

async function restored(name: string) {
  const dataDir = join(directory.path, name);
  const store = await openStore({ dataDir });
  const restore = (from = salvaged) => restoreAll({ store, from });
  return { store, restore, [Symbol.asyncDispose]: () => store.close() };
}

test('restoreAll() takes messages, recipients and people into a new store as they were', async () => {
  await using world = await restored('new');
  expect(await world.restore()).toEqual({ messages: 40, accounts: 40, aliases: 1, skipped: [], damaged: [] });
  const claimed = await world.store.claim({ now: 5000, limit: 1000, leaseMs: 1000 });
  for (const { message, jobs } of claimed) {
    const octets = String(message.prefix) + (await textOf(readContent(message.content)));
    expect(octets).toBe(String(image.messages.get(message.queueId)));
    expect(jobs.map(({ recipient }) => recipient)).toEqual(image.recipients.get(message.queueId));
    expect(jobs.map(({ attempts }) => attempts)).toEqual(jobs.map(({ number }) => number));
  }
  expect(claimed).toHaveLength(40);
  const asking = claimed.filter(({ message }) => message.requests !== undefined);
  expect(asking).toHaveLength(8);
  for (const { message, jobs } of asking) {
    expect(message.requests).toEqual(wishes.message);
    expect(message.traceparent).toBe(wishes.traceparent);
    const { job: requests, memo, verdict } = wishes;
    for (const job of jobs) expect(job).toMatchObject({ requests, memo, verdict });
  }
  expect(await world.store.findAccount('user1@example.com')).toMatchObject(people);
  expect(await world.store.findAccount('user2@example.com')).not.toHaveProperty('settings');
  expect(await world.store.findAlias('info@example.com')).toMatchObject({ targets: { length: 2 } });
  expect(await world.store.trace({ queueId: 'Q00000', limit: 1 })).toMatchObject([{ event: 'accepted' }]);
});

test('restoreAll() leaves what is there already as it is, and says so', async () => {
  await using world = await restored('twice');
  await world.restore();
  const { skipped, damaged, ...counts } = await world.restore();
  expect(damaged).toEqual([]);
  expect(counts).toEqual({ messages: 0, accounts: 0, aliases: 0 });
  expect(skipped).toHaveLength(81);
  expect(skipped).toContainEqual({ what: 'message Q00000', why: 'it is in the queue already' });
});

test('restoreAll() refuses what is not from a salvage, and names the file', async () => {
  await using world = await restored('changed');
  const file = join(salvaged, 'messages', 'Q00000.json');
  const before = readFileSync(file);
  writeFileSync(file, '{"queueId": "Q00000"}');
  await expect(world.restore()).rejects.toThrow(SalvageFormatError);
  await expect(world.restore()).rejects.toThrow(`${file} is not what posthorn store salvage writes`);
  await expect(world.restore()).rejects.toThrow('doubts is missing');
  writeFileSync(file, before);
});

test('restoreAll() leaves out, and names, messages that are not as they were salvaged', async () => {
  await using world = await restored('altered');
  const altered = join(directory.path, 'altered-out');
  cpSync(salvaged, altered, { recursive: true });
  const file = (name: string) => join(altered, 'messages', name);
  flipBit(file('Q00000.eml'), 100, 0);
  flipBit(file('Q00007.eml'), 90_000, 7); // a large one, of the spool
  truncateSync(file('Q00003.eml'), 100);
  rmSync(file('Q00004.eml'));
  const report = await world.restore(altered);
  expect(report).toMatchObject({ messages: 36, damaged: ['Q00000', 'Q00003', 'Q00004', 'Q00007'] });
  expect(report.skipped).toContainEqual({
    what: 'message Q00007',
    why: `the octets of ${file('Q00007.eml')} are not those that were salvaged`,
  });
  const queued = (await world.store.listJobs({ limit: 1000 })).jobs.map(({ queueId }) => queueId);
  for (const queueId of report.damaged) expect(queued).not.toContain(queueId);
});

test('restoreAll() takes what an earlier version has salvaged, which wrote no sums', async () => {
  await using world = await restored('earlier');
  const earlier = join(directory.path, 'earlier-out');
  cpSync(salvaged, earlier, { recursive: true });
  const file = join(earlier, 'messages', 'Q00000.json');
  const { octetsSum, ...envelope } = JSON.parse(readFileSync(file, 'utf8'));
  expect(octetsSum).toBeGreaterThan(0);
  writeFileSync(file, JSON.stringify(envelope));
  expect(await world.restore(earlier)).toMatchObject({ messages: 40, skipped: [] });
});
