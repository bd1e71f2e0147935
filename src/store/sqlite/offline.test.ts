import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../testing/store.ts';
import { type StoreImage, storeImage } from '../../testing/store-image.ts';
import { hasStore, whileOffline } from './offline.ts';

const isRoot = process.getuid?.() === 0;
const nobody = 65534;

/** Runs `action` as a user for whom permissions count: root passes them all. */
function withoutPrivileges(action: () => void): void {
  if (isRoot) process.seteuid?.(nobody);
  try {
    action();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

const imageIn = (directory: TemporaryDirectory): Promise<StoreImage> =>
  storeImage(directory.path, 8, 'stopped');

test('hasStore() does not take a store that this user may not see for one that is not there', async () => {
  await using directory = await temporaryDirectory();
  const { dataDir } = await imageIn(directory);
  expect(hasStore(dataDir)).toBe(true);
  expect(hasStore(join(directory.path, 'elsewhere'))).toBe(false);
  chmodSync(dataDir, 0);
  withoutPrivileges(() => expect(() => hasStore(dataDir)).toThrow('EACCES'));
  chmodSync(dataDir, 0o700);
});

// As root: e2e/scenarios/failing-disk.ts. What access(2) says goes by who started the process.
test.skipIf(isRoot)('whileOffline() refuses a store that this user may read only', async () => {
  await using directory = await temporaryDirectory();
  const { dataDir, files } = await imageIn(directory);
  chmodSync(files.directory, 0o500);
  chmodSync(files.lock, 0o400);
  await expect(whileOffline(dataDir, async () => 'looked at')).rejects.toMatchObject({ code: 'EACCES' });
  chmodSync(files.directory, 0o700);
});
