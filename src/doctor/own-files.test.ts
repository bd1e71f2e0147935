import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { examineOwnFiles } from './own-files.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'posthorn-own-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const file = '/etc/own.pem';
const problem = 'cannot be used (the certificate is no PEM that can be read)';

test.each([
  ['configured', 'certificate-unusable', 'error', /A server does not start with it/],
  ['issued', 'certificate-unusable', 'warning', /posthorn tls renew mx\.example\.com --force/],
  ['next-key', 'certificate-unusable', 'warning', /posthorn tls rollover/],
  ['self-signed', 'certificate-unusable', 'warning', /posthorn dns records/],
  ['account', 'acme-account-unusable', 'error', /from a backup.*another account.*accounturi/],
] as const)('P12: a file that cannot be used: %s', async (role, id, severity, remedy) => {
  const name = 'mx.example.com';
  expect(await examineOwnFiles({ dataDir }, [{ role, file, problem, name }])).toMatchObject([
    { id, severity, evidence: `${file} ${problem}`, remedy: expect.stringMatching(remedy) },
  ]);
});

test('P12: nothing is wrong before there is anything', async () => {
  expect(await examineOwnFiles({ dataDir }, [])).toEqual([]);
  expect(await examineOwnFiles({ dataDir: join(dataDir, 'none') }, [])).toEqual([]);
});

const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)('P12: what root has put there, and the user of the server may not read', async () => {
  const files = [
    'acme/account.json',
    'acme/mx.pem',
    'acme/by-group.pem',
    'acme/own.pem',
    'tls/self-signed.pem',
  ];
  for (const name of ['acme', 'tls']) mkdirSync(join(dataDir, name));
  for (const name of files) {
    writeFileSync(join(dataDir, name), '', { mode: 0o600 });
    chownSync(join(dataDir, name), 0, 4711);
  }
  expect(await examineOwnFiles({ dataDir }, [])).toEqual([]); // a server of root's reads all
  chownSync(dataDir, 4711, 4711);
  chmodSync(join(dataDir, 'acme/by-group.pem'), 0o640);
  chownSync(join(dataDir, 'acme/own.pem'), 4711, 4711);
  const found = await examineOwnFiles({ dataDir }, []);
  expect(
    found.map(({ id, severity, evidence }) => [id, severity, evidence.split(' ')[0]]).toSorted(),
  ).toEqual([
    ['acme-account-unusable', 'error', join(dataDir, 'acme/account.json')],
    ['certificate-unusable', 'warning', join(dataDir, 'acme/mx.pem')],
    ['certificate-unusable', 'warning', join(dataDir, 'tls/self-signed.pem')],
  ]);
  expect(found[0]?.remedy).toMatch(/^Give it to that user: chown 4711 /);
});
