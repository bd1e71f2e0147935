import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/store.ts';
import { startServerTls } from './connection.ts';
import { loadTlsContext } from './tls-context.ts';

const authority = testAuthority();
let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory();
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

test('loadTlsContext() lets no client negotiate TLS 1.2 anew', async () => {
  const context = await load('own.pem', 'own.key');
  const server = createServer((socket) => {
    void startServerTls(socket, context).then(({ socket: secure }) => secure.resume());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const host = { port, host: '127.0.0.1', servername: 'mx.example.com' };
  const client = tlsConnect({ ...host, ca: authority.cert, maxVersion: 'TLSv1.2' });
  await once(client, 'secureConnect');
  const refused = once(client, 'error');
  client.renegotiate({}, () => undefined);
  expect(await refused).toMatchObject([{ code: 'ERR_SSL_NO_RENEGOTIATION' }]);
  client.destroy();
  server.close();
});
