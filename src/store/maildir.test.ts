import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { createMaildir, deliver, keepName, type MaildirDelivery, maildirPath } from './maildir.ts';

const message = 'Return-Path: <a@example.com>\r\nSubject: hello\r\n\r\nHello.\r\n';

function delivery(dataDir: string, changes: Partial<MaildirDelivery> = {}): MaildirDelivery {
  return {
    maildir: maildirPath(dataDir, 'bob@example.net'),
    folder: 'Inbox',
    queueId: 'Q1',
    number: 0,
    acceptedAt: 1_700_000_000_123,
    hostname: 'mx.example.net',
    inDoubt: false,
    octets: [Buffer.from(message)],
    ...changes,
  };
}

async function namesIn(...path: string[]): Promise<string[]> {
  return (await readdir(join(...path))).sort();
}

test.each([
  ['bob@example.net', 'bob@example.net'],
  ['Bob@Example.NET', 'bob@example.net'],
  ['bu\u0308ro@example.net', 'b\u00fcro@example.net'],
  ['a/b\0c\n@example.net', 'a%2Fb%00c%0A@example.net'],
  ['../../etc@example.net', '%2E.%2F..%2Fetc@example.net'],
  ['50%@example.net', '50%25@example.net'],
  ['c1\u0085@example.net', 'c1%C2%85@example.net'],
])('maildirPath() of %j is one directory of its own', (account, name) => {
  expect(maildirPath('/data', account)).toBe(`/data/accounts/${name}/Maildir`);
});

test('P3: deliver() leaves the message in new/ with LF line ends and its sizes in its name', async () => {
  await using directory = await temporaryDirectory();
  const outcome = await deliver(delivery(directory.path));
  const maildir = maildirPath(directory.path, 'bob@example.net');
  const text = message.replaceAll('\r\n', '\n');
  const name = `1700000000.Q1_0.mx.example.net,S=${text.length},W=${message.length}`;
  expect(outcome).toEqual({ kind: 'delivered', file: join(maildir, 'new', name), repeated: false });
  expect(await readFile(join(maildir, 'new', name), 'utf8')).toBe(text);
  expect(await namesIn(maildir)).toEqual(['cur', 'new', 'tmp']);
  expect(await namesIn(maildir, 'tmp')).toEqual([]);
  expect((await stat(join(maildir, 'new', name))).mode & 0o777).toBe(0o600);
});

test('deliver() reads line ends right where chunks cut them', async () => {
  await using directory = await temporaryDirectory();
  const octets = [...message].map((character) => Buffer.from(character));
  const outcome = await deliver(delivery(directory.path, { octets }));
  expect(outcome.kind === 'delivered' && outcome.file).toMatch(`,W=${message.length}`);
});

test('deliver() makes the Junk folder by the rules of Maildir++', async () => {
  await using directory = await temporaryDirectory();
  await deliver(delivery(directory.path, { folder: 'Junk' }));
  const junk = join(maildirPath(directory.path, 'bob@example.net'), '.Junk');
  expect(await namesIn(junk)).toEqual(['cur', 'maildirfolder', 'new', 'tmp']);
  expect(await namesIn(junk, 'new')).toHaveLength(1);
});

test('deliver() takes many messages for one mailbox at once', async () => {
  await using directory = await temporaryDirectory();
  const numbers = Array.from({ length: 50 }, (_, number) => number);
  const outcomes = await Promise.all(numbers.map((number) => deliver(delivery(directory.path, { number }))));
  expect(outcomes.every(({ kind }) => kind === 'delivered')).toBe(true);
  expect(await namesIn(maildirPath(directory.path, 'bob@example.net'), 'new')).toHaveLength(50);
});

test('deliver() does not repeat a job in doubt whose file is in new/ or, with flags, in cur/', async () => {
  await using directory = await temporaryDirectory();
  const first = await deliver(delivery(directory.path));
  if (first.kind !== 'delivered') throw new Error(first.text);
  const again = () => deliver(delivery(directory.path, { inDoubt: true }));
  expect(await again()).toEqual({ ...first, repeated: true });
  const seen = `${first.file.replace('/new/', '/cur/')}:2,S`;
  await rename(first.file, seen);
  expect(await again()).toEqual({ kind: 'delivered', file: seen, repeated: true });
  await deliver(delivery(directory.path, { inDoubt: true, number: 1 }));
  const maildir = maildirPath(directory.path, 'bob@example.net');
  expect([await namesIn(maildir, 'new'), await namesIn(maildir, 'cur')].map(({ length }) => length)).toEqual([
    1, 1,
  ]);
});

test('deliver() of a job in doubt delivers what an interrupted attempt left in tmp/', async () => {
  await using directory = await temporaryDirectory();
  const maildir = maildirPath(directory.path, 'bob@example.net');
  await mkdir(join(maildir, 'tmp'), { recursive: true });
  await writeFile(join(maildir, 'tmp', '1700000000.Q1_0.mx.example.net'), 'x'.repeat(9999));
  await mkdir(join(maildir, 'new'));
  const outcome = await deliver(delivery(directory.path, { inDoubt: true }));
  expect(outcome).toMatchObject({ kind: 'delivered', repeated: false });
  expect(await namesIn(maildir, 'tmp')).toEqual([]);
});

test.each([
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['EIO', 'failed'],
])('deliver() tells %s as a value and leaves nothing in tmp/', async (code, kind) => {
  await using directory = await temporaryDirectory();
  async function* octets() {
    yield Buffer.from('Subject: half');
    throw Object.assign(new Error(`${code}: as told`), { code });
  }
  const outcome = await deliver(delivery(directory.path, { octets: octets() }));
  expect(outcome).toEqual({ kind, text: expect.stringContaining(code) });
  expect(await namesIn(maildirPath(directory.path, 'bob@example.net'), 'tmp')).toEqual([]);
});

test('deliver() says what to do about a mailbox that belongs to somebody else', async () => {
  await using directory = await temporaryDirectory();
  const mailbox = join(directory.path, 'accounts', 'bob@example.net');
  async function* octets() {
    yield Buffer.from('Subject: half');
    // As root, under which tests may run, nothing is forbidden.
    throw Object.assign(new Error('EACCES: as told'), { code: 'EACCES', path: `${mailbox}/Maildir/tmp/1` });
  }
  expect(await deliver(delivery(directory.path, { octets: octets() }))).toEqual({
    kind: 'failed',
    text: `Error: EACCES: as told. All of it must belong to the user that the server runs as: chown -R ${process.getuid?.()} ${mailbox}`,
  });
});

test('deliver() tells a mailbox that cannot be made as a value', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'accounts'), 'in the way');
  expect(await deliver(delivery(directory.path))).toMatchObject({ kind: 'failed' });
});

test('createMaildir() makes tmp/ last, by which deliveries see that all the rest is there', async () => {
  await using directory = await temporaryDirectory();
  const maildir = maildirPath(directory.path, 'bob@example.net');
  await mkdir(maildir, { recursive: true });
  await writeFile(join(maildir, 'cur'), 'no directory');
  await expect(createMaildir(maildir)).rejects.toThrow('EEXIST');
  expect(await namesIn(maildir)).toEqual(['cur', 'new']);
});

test('keepName() takes the file away where its directory could not be synced', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'kept');
  await writeFile(file, 'a message');
  await keepName(file, Promise.resolve());
  expect(await namesIn(directory.path)).toEqual(['kept']);
  await expect(keepName(file, Promise.reject(new Error('EIO')))).rejects.toThrow('EIO');
  expect(await namesIn(directory.path)).toEqual([]);
});

test('deliver() tells why the mailbox could not be used, and not that cleaning up failed too', async () => {
  await using directory = await temporaryDirectory();
  const maildir = maildirPath(directory.path, 'bob@example.net');
  await mkdir(maildir, { recursive: true });
  // Whatever is asked of it fails with ENOTDIR, also for root: opening the file comes first.
  await writeFile(join(maildir, 'tmp'), 'no directory');
  const outcome = await deliver(delivery(directory.path));
  expect(outcome).toEqual({ kind: 'failed', text: expect.stringMatching(/^Error: ENOTDIR.* open '/) });
});

test('deliver() tells what went wrong, and beside it that the file could not be removed', async () => {
  await using directory = await temporaryDirectory();
  const tmp = join(maildirPath(directory.path, 'bob@example.net'), 'tmp');
  async function* octets() {
    yield Buffer.from('Subject: half');
    await rename(tmp, `${tmp}.away`);
    await writeFile(tmp, 'no directory');
    throw Object.assign(new Error('EIO: as told'), { code: 'EIO' });
  }
  const outcome = await deliver(delivery(directory.path, { octets: octets() }));
  expect(outcome).toEqual({
    kind: 'failed',
    text: expect.stringMatching(/^Error: EIO: as told; and what was written stays.*ENOTDIR/),
  });
});
