import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';
import { testAuthority } from '../testing/certificates.ts';
import { loadTlsContext } from './tls-context.ts';

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory();
  const authority = testAuthority();
  const [own, other] = [authority.issue(['mx.example.com']), authority.issue(['other.example'])];
  await writeFile(join(directory.path, 'own.pem'), own.cert);
  await writeFile(join(directory.path, 'own.key'), own.key);
  await writeFile(join(directory.path, 'other.key'), other.key);
});
afterAll(() => directory[Symbol.asyncDispose]());

const load = (cert: string, key: string) =>
  loadTlsContext({ cert: join(directory.path, cert), key: join(directory.path, key) });

test('loadTlsContext() reads a certificate with its key', async () => {
  await expect(load('own.pem', 'own.key')).resolves.toBeDefined();
});

test.each([
  ['a file that is not there', 'own.pem', 'missing.key', 'missing.key'],
  ["another certificate's key", 'own.pem', 'other.key', 'other.key'],
  ['a certificate that is none', 'own.key', 'own.key', 'Cannot use certificate'],
])('loadTlsContext() names the file in question for %s', async (_, cert, key, named) => {
  await expect(load(cert, key)).rejects.toThrow(named);
});
