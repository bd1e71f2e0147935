import { mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory, textOf } from '../testing/store.ts';
import { listMaildir, type MailboxEntry, readEntry, removeEntries } from './mailbox.ts';
import { createMaildir, deliver } from './maildir.ts';

async function world(files: Record<string, string> = {}) {
  const directory = await temporaryDirectory();
  const maildir = join(directory.path, 'Maildir');
  await createMaildir(maildir);
  for (const [path, text] of Object.entries(files)) await writeFile(join(maildir, path), text);
  return { maildir, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

test('listMaildir() passes over a name that is not UTF-8, however long', async () => {
  await using w = await world({ 'new/1.a.host,S=2,W=3': 'a\n' });
  for (const octet of [0xc3, 0xff]) {
    // Each of its octets becomes three when it is decoded and written again: too long for any file system.
    const name = Buffer.alloc(200, octet);
    await writeFile(Buffer.concat([Buffer.from(`${w.maildir}/new/`), name]), 'a\n');
  }
  expect((await listMaildir(w.maildir)).map(({ name }) => name)).toEqual(['1.a.host,S=2,W=3']);
});

test('listMaildir() tells of what may not be read, and lists all else', async () => {
  await using w = await world({ 'new/1.a.host': 'a\n', 'cur/3.c.host:2,S': 'c\n' });
  // As a file of another user, which for root there is none.
  const closed = join(w.maildir, 'new', '2.b.host');
  await symlink(closed, closed);
  const told: string[] = [];
  const entries = await listMaildir(w.maildir, (path) => told.push(path));
  expect(entries.map(({ name }) => name)).toEqual(['1.a.host', '3.c.host:2,S']);
  expect(told).toEqual([closed]);
});

test('listMaildir() believes no size that no file can have', async () => {
  await using w = await world({ 'new/1.a.host,W=99999999999999999999': 'a\n' });
  expect((await only(w.maildir)).sizeBytes).toBe(3);
});

async function only(maildir: string): Promise<MailboxEntry> {
  const [entry] = await listMaildir(maildir);
  if (entry === undefined) throw new Error('The mailbox is empty');
  return entry;
}

test('listMaildir() lists new/ and cur/ by time, then name', async () => {
  await using w = await world({
    'new/1700000009.b.host,S=2,W=3': 'a\n',
    'cur/1700000009.a.host,S=2,W=3:2,S': 'a\n',
    'new/999999999.c.host': 'a\nb\n',
    'new/.hidden': '',
    'tmp/1600000000.unfinished.host': '',
  });
  await mkdir(join(w.maildir, 'new', 'directory'));
  expect(await listMaildir(w.maildir)).toEqual([
    entry('new', '999999999.c.host', '999999999.c.host', 6),
    entry('cur', '1700000009.a.host,S=2,W=3:2,S', '1700000009.a.host', 3),
    entry('new', '1700000009.b.host,S=2,W=3', '1700000009.b.host', 3),
  ]);
  function entry(part: string, name: string, unique: string, sizeBytes: number): MailboxEntry {
    return { name, unique, sizeBytes, path: join(w.maildir, part, name), isNew: part === 'new' };
  }
});

test('listMaildir() of a Maildir that does not exist is empty', async () => {
  expect(await listMaildir('/nowhere/Maildir')).toEqual([]);
});

test('unique is a legal UIDL whatever the name, and stays when flags change', async () => {
  await using w = await world({ [`new/1.${'x'.repeat(100)},S=2`]: 'a\n', 'new/2.b\u00fc c': '' });
  const before = await listMaildir(w.maildir);
  for (const { unique } of before) expect(unique).toMatch(/^[!-~]{1,70}$/);
  for (const { path, name } of before) await rename(path, join(w.maildir, 'cur', `${name}:2,RS`));
  const after = await listMaildir(w.maildir);
  expect(after.map(({ unique }) => unique)).toEqual(before.map(({ unique }) => unique));
});

test('P2: what deliver() stored is read back octet for octet, with its true size', async () => {
  await using w = await world();
  const text = `Subject: ü\r\n\r\n${'A line of text.\r\n'.repeat(10_000)}\r\n.\r\nno end of line`;
  const octets = [Buffer.from(text)];
  const job = { queueId: 'Q1', number: 0, acceptedAt: 1e12, hostname: 'mx.example.net', inDoubt: false };
  await deliver({ ...job, maildir: w.maildir, folder: 'Inbox', octets });
  const entry = await only(w.maildir);
  expect(entry.sizeBytes).toBe(Buffer.byteLength(text));
  expect(await textOf(readEntry(entry))).toBe(text);
});

test('a file that another program delivered is measured, CRLF line ends in it included', async () => {
  const text = `${'x'.repeat(65_535)}\r\nbare\nend`;
  await using w = await world({ 'new/1.a': text });
  const entry = await only(w.maildir);
  expect(await textOf(readEntry(entry))).toBe(text.replace('bare\n', 'bare\r\n'));
  expect(entry.sizeBytes).toBe(text.length + 1);
});

test('readEntry() and removeEntries() follow a message that another program moved to cur/', async () => {
  await using w = await world({ 'new/1.a,S=2,W=3': 'a\n' });
  const entry = await only(w.maildir);
  await rename(entry.path, join(w.maildir, 'cur', '1.a,S=2,W=3:2,S'));
  expect(await textOf(readEntry(entry))).toBe('a\r\n');
  await removeEntries([entry]);
  expect(await readdir(join(w.maildir, 'cur'))).toEqual([]);
});

test('removeEntries() takes no offence at a message that is gone; readEntry() says so', async () => {
  await using w = await world({ 'new/1.a': 'a\n', 'new/2.b': 'b\n' });
  const entries = await listMaildir(w.maildir);
  await removeEntries(entries.slice(0, 1));
  await removeEntries(entries);
  expect(await listMaildir(w.maildir)).toEqual([]);
  await expect(textOf(readEntry(entries[0] ?? (await only(w.maildir))))).rejects.toThrow('ENOENT');
});

test('a message under two names, as a power cut in the middle of a move leaves it, is one, and removed as one', async () => {
  const name = '1.a.host,S=2,W=3';
  await using w = await world({ [`new/${name}`]: 'a\n', [`cur/${name}:2,S`]: 'a\n' });
  const entry = await only(w.maildir);
  expect(await listMaildir(w.maildir)).toHaveLength(1);
  expect(entry.isNew).toBe(false);
  await removeEntries([entry]);
  expect([...(await readdir(join(w.maildir, 'new'))), ...(await readdir(join(w.maildir, 'cur')))]).toEqual(
    [],
  );
});
