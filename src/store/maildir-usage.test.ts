import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { maildirUsage } from './maildir-usage.ts';

async function put(directory: string, name: string, bytes: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, name), 'x'.repeat(bytes));
}

test('maildirUsage() counts the messages of a Maildir and its folders, by their names or by looking', async () => {
  await using directory = await temporaryDirectory();
  const maildir = join(directory.path, 'Maildir');
  expect(await maildirUsage(maildir)).toBe(0);
  await put(join(maildir, 'new'), '1.a.host,S=1000,W=1010', 3);
  await put(join(maildir, 'cur'), '2.b.host,S=200:2,S', 3);
  await put(join(maildir, 'cur'), '3.c.host:2,', 30);
  await put(join(maildir, '.Junk', 'new'), '4.d.host', 4);
  await put(join(maildir, 'tmp'), '5.e.host,S=99999', 3);
  await put(join(maildir, 'cur'), '.hidden', 7);
  await put(maildir, '.a-file', 7);
  await mkdir(join(maildir, 'cur', 'a-directory'));
  expect(await maildirUsage(maildir)).toBe(1234);
});
