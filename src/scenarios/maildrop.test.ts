import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { dropMessage, maildropDirectory, messageName } from '../store/drop-message.ts';
import { startWorld, type World } from '../testing/world.ts';

const ann = 'ann@example.com';
const own = `${userInfo().username}@example.com`;

let world: World<'example.com'> | undefined;
afterEach(() => world?.[Symbol.asyncDispose]());

async function start(sendmail: object = {}, more: object = {}) {
  const settings = { sendmail: { enabled: true, domain: 'example.com', ...sendmail }, ...more };
  world = await startWorld({ servers: { 'example.com': { accounts: { [ann]: 'secret' }, settings } } });
  const server = world.servers['example.com'];
  const directory = maildropDirectory(server.config.dataDir);
  const drop = async (text: string, envelope: { from?: string; recipients?: string[] } = {}) => {
    const name = messageName();
    const content = Buffer.from(text);
    await dropMessage(directory, name, { envelope: { recipients: [ann], ...envelope }, content });
    return name;
  };
  const isEmpty = () => expect.poll(() => readdirSync(directory), { timeout: 20_000 }).toEqual([]);
  return { server, directory, drop, isEmpty };
}

const inboxOf = async ({ server }: Awaited<ReturnType<typeof start>>, atLeast: number) => {
  const letters = await server.inbox(ann, atLeast);
  return letters.map((letter) => /^Subject: (.*?)\r?$/m.exec(letter)?.[1]).sort();
};

test('what is handed in arrives, completed and without Bcc, and the maildrop is empty', async () => {
  const place = await start();
  expect(statSync(place.directory).mode & 0o7777).toBe(0o1733);
  await place.drop('Subject: one\r\nBcc: x@example.net\r\n\r\nhello\r\n');
  const [letter = ''] = await place.server.inbox(ann, 1);
  expect(letter).toContain(`From: ${own}`);
  expect(letter).toMatch(/^Message-ID: /m);
  expect(letter).not.toMatch(/^Bcc/m);
  await place.isEmpty();
});

test('what was handed in while the server was down is taken at its start', async () => {
  const place = await start();
  await place.server.stop();
  await place.drop('Subject: while down\r\n\r\nhello\r\n');
  await place.server.start();
  expect(await inboxOf(place, 1)).toEqual(['while down']);
});

test('a file that comes again after a kill, or out of a backup, is known, and sent once', async () => {
  const place = await start();
  const name = await place.drop('Subject: once\r\n\r\nhello\r\n');
  await place.server.inbox(ann, 1);
  await place.isEmpty();
  writeFileSync(
    join(place.directory, name),
    `{"posthorn":1,"recipients":["${ann}"]}\nSubject: once\r\n\r\nhello\r\n`,
  );
  await place.isEmpty();
  await place.drop('Subject: another\r\n\r\nhello\r\n');
  expect(await inboxOf(place, 2)).toEqual(['another', 'once']);
});

test('a directory that somebody has made in the maildrop long ago holds up no mail', async () => {
  const place = await start();
  for (const name of ['tmp-a', 'new-a.1.a']) {
    mkdirSync(join(place.directory, name));
    utimesSync(join(place.directory, name), 1, 1);
  }
  await place.drop('Subject: one\r\n\r\nhello\r\n');
  expect(await inboxOf(place, 1)).toEqual(['one']);
});

test('what is no message of one author is removed and not read: links, names for two, nonsense', async () => {
  const place = await start();
  // It could be read, and sent on: whoever has made the link is not who has written it.
  const letterOfAnother = join(place.server.config.dataDir, 'letter');
  writeFileSync(letterOfAnother, `{"posthorn":1,"recipients":["${ann}"]}\nSubject: linked\r\n\r\n`);
  symlinkSync(letterOfAnother, join(place.directory, 'new-a.1.a'));
  writeFileSync(join(place.directory, 'new-b.1.b'), 'nonsense');
  const other = join(place.directory, 'tmp-c');
  writeFileSync(other, `{"posthorn":1,"recipients":["${ann}"]}\nSubject: of another\r\n\r\n`);
  linkSync(other, join(place.directory, 'new-c.1.c'));
  chmodSync(other, 0o600);
  await place.drop('Subject: a real one\r\n\r\nhello\r\n');
  expect(await inboxOf(place, 1)).toEqual(['a real one']);
  await expect.poll(() => readdirSync(place.directory)).toEqual(['tmp-c']);
});

test('what nobody gets comes back to its user, who without a mailbox is the postmaster', async () => {
  const place = await start();
  await place.drop('Subject: lost\r\n\r\nhello\r\n', { recipients: ['nobody@example.com'] });
  await place.drop('Subject: to a user\r\n\r\nhello\r\n', { recipients: ['daemon'] });
  const letters = await place.server.inbox(ann, 2);
  const notice = letters.find((letter) => letter.includes('Not sent: a message from a user of this machine'));
  expect(notice).toContain('550 5.1.1 No such user here: <nobody@example.com>');
  expect(notice).toContain('> Subject: lost');
  expect(letters.some((letter) => letter.includes('Subject: to a user'))).toBe(true);
  await place.isEmpty();
});

test('a message of which a thousand recipients are refused comes back with some of the reasons', async () => {
  const place = await start();
  const recipients = Array.from({ length: 900 }, (_, index) => `${'ü'.repeat(20)}${index}@example.com`);
  await place.drop('Subject: to many\r\n\r\nhello\r\n', { recipients });
  const [notice = ''] = await place.server.inbox(ann, 1);
  expect(notice.match(/No such user here/g)).toHaveLength(50);
  expect(notice).toContain('and 850 more');
  await place.isEmpty();
});

test('as whom nobody here may send is refused, whoever asks', async () => {
  const place = await start();
  await place.drop('Subject: x\r\nFrom: a@example.net\r\n\r\nhello\r\n');
  const [notice = ''] = await place.server.inbox(ann, 1);
  expect(notice).toContain('may not send as a@example.net');
});

test('what is longer than the server takes is not lost in silence: its sender hears', async () => {
  const place = await start({}, { limits: { messageBytes: 100_000 } });
  await place.drop(`Subject: long\r\n\r\n${'x\r\n'.repeat(500_000)}`);
  const [notice = ''] = await place.server.inbox(ann, 1);
  expect(notice).toContain('it is longer than 100000 octets: [limits] messageBytes');
  expect(notice).toContain('> Subject: long');
  await place.isEmpty();
});
