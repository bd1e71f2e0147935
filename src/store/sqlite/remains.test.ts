import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../testing/store.ts';
import { StoreOpenError } from '../errors.ts';
import { checkStore } from './check/check.ts';
import { openStore } from './open.ts';

async function refusalOf(dataDir: string): Promise<StoreOpenError> {
  const error: unknown = await openStore({ dataDir }).catch((reason: unknown) => reason);
  if (error instanceof StoreOpenError) return error;
  throw new Error(`Expected a StoreOpenError, got ${String(error)}`);
}

/** There was a store, and a message in its spool. */
async function lostStore(lose: (dataDir: string) => void) {
  const directory = await temporaryDirectory();
  const dataDir = directory.path;
  await (await openStore({ dataDir })).close();
  writeFileSync(join(dataDir, 'spool', 'file'), 'a message');
  lose(dataDir);
  return { dataDir, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

const loseFolder = (dataDir: string) => rmSync(join(dataDir, 'store'), { recursive: true });
const loseFiles = (dataDir: string) => {
  for (const name of readdirSync(join(dataDir, 'store'))) rmSync(join(dataDir, 'store', name));
};

test.each([
  ['its folder', loseFolder],
  ['its files', loseFiles],
])('openStore() makes no new store where one has lost %s, and leaves the spool alone', async (_, lose) => {
  await using w = await lostStore(lose);
  const { dataDir } = w;
  const hadFolder = existsSync(join(dataDir, 'store'));
  const refused = await refusalOf(dataDir);
  expect(refused.kind).toBe('damaged');
  expect(refused.message).toContain(`${join(dataDir, 'spool')}: holds messages in files (1)`);
  expect(refused.message).toContain(`${join(dataDir, 'has-store')}: says that there was a store`);
  expect(refused.message).toMatch(/put .*store back.*posthorn store salvage --to DIRECTORY/);
  expect(existsSync(join(dataDir, 'store'))).toBe(hadFolder);
  expect(readdirSync(join(dataDir, 'spool'))).toEqual(['file']);
  expect(await checkStore(dataDir)).toMatchObject([
    { severity: 'error', file: join(dataDir, 'spool') },
    { severity: 'error', file: join(dataDir, 'has-store') },
  ]);
});

test('openStore() begins afresh where that is asked for, but not over messages', async () => {
  await using w = await lostStore(loseFolder);
  const { dataDir } = w;
  await expect(openStore({ dataDir, afresh: true })).rejects.toThrow('holds messages in files (1)');
  renameSync(join(dataDir, 'spool'), join(dataDir, 'spool.old'));
  expect((await refusalOf(dataDir)).message).toContain('has-store');
  await (await openStore({ dataDir, afresh: true })).close();
  await (await openStore({ dataDir })).close();
});

test('openStore() makes a new store beside Maildirs that were brought from elsewhere, and says so', async () => {
  await using directory = await temporaryDirectory();
  mkdirSync(join(directory.path, 'accounts', 'alice@example.com', 'Maildir', 'new'), { recursive: true });
  mkdirSync(join(directory.path, 'spool'));
  writeFileSync(join(directory.path, 'spool', 'empty'), '');
  const warnings: string[] = [];
  const log = { info() {}, warn: (_: object, text: string) => warnings.push(text) };
  await (await openStore({ dataDir: directory.path, log })).close();
  expect(warnings).toEqual([expect.stringMatching(/beside mailboxes/)]);
});
