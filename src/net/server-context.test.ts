import { once } from 'node:events';
import { createServer } from 'node:net';
import { createSecureContext, connect as tlsConnect } from 'node:tls';
import { describe, expect, it, test } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { visitTls } from '../testing/tls-visit.ts';
import { type Audience, oneContext, serverContext } from './server-context.ts';
import { startServerTls } from './server-handshake.ts';

const authority = testAuthority();
const certificate = authority.issue(['mx.example.com']);
const settings = (audience: Audience) => oneContext(serverContext({ ...certificate, audience }));

describe('serverContext()', () => {
  it.each([
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
  ])('speaks %s with users', async (ciphers) => {
    const visit = await visitTls(settings('users'), { ciphers, maxVersion: 'TLSv1.2' });
    expect(visit.cipher).toBe(ciphers);
  });

  it('has no cipher without AEAD for users, but for servers, which would send in clear text', async () => {
    const old = { ciphers: 'ECDHE-ECDSA-AES128-SHA', maxVersion: 'TLSv1.2' } as const;
    await expect(visitTls(settings('users'), old)).rejects.toThrow();
    expect(await visitTls(settings('servers'), old)).toMatchObject({ cipher: old.ciphers });
  });

  it.each(['users', 'servers'] as const)('has TLS 1.3 and nothing before 1.2 for %s', async (audience) => {
    expect((await visitTls(settings(audience))).server.version).toBe('TLSv1.3');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    await expect(visitTls(settings(audience), old)).rejects.toThrow();
  });

  it('refuses a key that is for another certificate', () => {
    const { key } = authority.issue(['mx.example.com']);
    expect(() => serverContext({ ...certificate, key, audience: 'users' })).toThrow();
  });
});

test('serverContext() lets no client negotiate TLS 1.2 anew', async () => {
  const server = createServer((socket) => {
    void startServerTls(socket, settings('servers')).then(({ socket: secure }) => secure.resume());
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

test('oneContext() shows the same to everybody', () => {
  const context = createSecureContext(certificate);
  const one = oneContext(context);
  expect([one.contextFor('mx.example.com'), one.contextFor(undefined), one.choosesByName()]).toEqual([
    context,
    context,
    false,
  ]);
});
