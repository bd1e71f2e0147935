import { renameSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { createMaildir, deliver, maildirPath } from './maildir.ts';
import { deliverBatch, type SmallDelivery } from './maildir-batch.ts';

const message = 'Subject: hello\r\n\r\nHello.\r\n.\r\n\r';

function delivery(dataDir: string, changes: Partial<SmallDelivery> = {}): SmallDelivery {
  return {
    maildir: maildirPath(dataDir, 'bob@example.net'),
    folder: 'Inbox',
    queueId: 'Q1',
    number: 0,
    acceptedAt: 1_700_000_000_123,
    hostname: 'mx.example.net',
    bytes: Buffer.from(message),
    ...changes,
  };
}

async function namesIn(...path: string[]): Promise<string[]> {
  return (await readdir(join(...path))).sort();
}

test('P3: deliverBatch() leaves the very file that deliver() leaves', async () => {
  await using directory = await temporaryDirectory();
  await createMaildir(maildirPath(directory.path, 'bob@example.net'));
  const [outcome] = await deliverBatch([delivery(directory.path)]);
  if (outcome?.kind !== 'delivered') throw new Error(outcome?.text);
  const written = await readFile(outcome.file, 'utf8');
  const { bytes, ...name } = delivery(directory.path, { bytes: Buffer.from(message) });
  const same = await deliver({ ...name, inDoubt: false, octets: [Buffer.from(bytes)] });
  expect(outcome).toEqual(same);
  expect(await readFile(outcome.file, 'utf8')).toBe(written);
  expect(written).toBe(message.replaceAll('\r\n', '\n'));
});

test('deliverBatch() makes the mailboxes that are not there, Junk among them', async () => {
  await using directory = await temporaryDirectory();
  const outcomes = await deliverBatch([
    delivery(directory.path),
    delivery(directory.path, { number: 1, folder: 'Junk' }),
    delivery(directory.path, { number: 2 }),
  ]);
  expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'delivered', 'delivered']);
  const maildir = maildirPath(directory.path, 'bob@example.net');
  expect(await namesIn(maildir, 'new')).toHaveLength(2);
  expect(await namesIn(maildir, '.Junk', 'new')).toHaveLength(1);
  expect(await namesIn(maildir, 'tmp')).toEqual([]);
});

test('deliverBatch() gives each its own outcome, and leaves nothing of those that failed', async () => {
  await using directory = await temporaryDirectory();
  const blocked = maildirPath(directory.path, 'blocked@example.net');
  await createMaildir(blocked);
  // The name that the message is to have is taken by a directory: it can be written, but not renamed.
  const name = `1700000000.Q1_1.mx.example.net,S=${message.length - 4},W=${message.length}`;
  await mkdir(join(blocked, 'new', name));
  await writeFile(join(directory.path, 'accounts', 'file@example.net'), 'in the way');
  const outcomes = await deliverBatch([
    delivery(directory.path),
    delivery(directory.path, { number: 1, maildir: blocked }),
    delivery(directory.path, { number: 2, maildir: maildirPath(directory.path, 'file@example.net') }),
    delivery(directory.path, { number: 3 }),
  ]);
  expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'failed', 'failed', 'delivered']);
  expect(await namesIn(blocked, 'tmp')).toEqual([]);
});

test('deliverBatch() delivers the others where one mailbox is lost in the middle, and tells what failed first', async () => {
  await using directory = await temporaryDirectory();
  const lost = maildirPath(directory.path, 'lost@example.net');
  await createMaildir(lost);
  await createMaildir(maildirPath(directory.path, 'bob@example.net'));
  const outcomes = deliverBatch([delivery(directory.path, { maildir: lost }), delivery(directory.path)]);
  // The files are open and written by now: the first cannot be renamed, nor removed.
  renameSync(join(lost, 'tmp'), join(lost, 'away'));
  writeFileSync(join(lost, 'tmp'), 'no directory');
  expect(await outcomes).toEqual([
    { kind: 'failed', text: expect.stringMatching(/ENOTDIR.*rename.*; and what was written stays.*unlink/) },
    { kind: 'delivered', file: expect.any(String), repeated: false },
  ]);
});
