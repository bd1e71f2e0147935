import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allOf, temporaryDirectory } from '../testing/store.ts';
import { type DataEntry, dataFiles, findMessage } from './data-files.ts';

function put(directory: string, ...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    if (path.endsWith('/')) mkdirSync(join(directory, path), { recursive: true });
    else writeFileSync(join(directory, path), path);
  }
}

const filesOf = (entries: readonly DataEntry[]) =>
  entries.flatMap((entry) => (entry.kind === 'file' ? [entry.path] : [])).sort();

test('dataFiles() goes through mailboxes and all else, and leaves out what is saved otherwise or half written', async () => {
  await using directory = await temporaryDirectory();
  const maildir = 'accounts/user@example.com/Maildir';
  const saved = [
    `${maildir}/cur/2.b:2,S`,
    `${maildir}/new/1.a`,
    `${maildir}/.Junk/new/3.c`,
    `${maildir}/.Junk/maildirfolder`,
    'has-store',
    'tls/acme/key.pem',
    // No mailbox, though it looks like one.
    'tls/tmp/x',
  ];
  put(directory.path, ...saved, `${maildir}/tmp/4.d`, `${maildir}/.Junk/cur/`, `${maildir}/.Junk/tmp/`);
  put(
    directory.path,
    'store/posthorn.db',
    'spool/x',
    'before-upgrade/schema-7/posthorn.db',
    'maildrop/new/x',
  );
  const entries = await allOf(dataFiles(directory.path));
  expect(filesOf(entries)).toEqual(saved.toSorted());
  const directories = entries.flatMap((entry) => (entry.kind === 'directory' ? [entry.path] : []));
  expect(directories).toContain(`${maildir}/tmp`);
  expect(directories).toContain(`${maildir}/.Junk/cur`);
});

test('a message that has two names for a moment is saved once; findMessage() knows where it is now', async () => {
  await using directory = await temporaryDirectory();
  const folder = 'accounts/user@example.com/Maildir';
  put(directory.path, `${folder}/new/1.a,S=1`, `${folder}/cur/1.a,S=1:2,S`, `${folder}/tmp/`);
  expect(filesOf(await allOf(dataFiles(directory.path)))).toEqual([`${folder}/cur/1.a,S=1:2,S`]);
  expect(await findMessage(directory.path, { folder, base: '1.a' })).toBe(`${folder}/new/1.a,S=1`);
  expect(await findMessage(directory.path, { folder, base: '2.b' })).toBeUndefined();
});

test('dataFiles() of a directory that is not there has nothing', async () => {
  expect(await allOf(dataFiles('/nonexistent'))).toEqual([]);
});
