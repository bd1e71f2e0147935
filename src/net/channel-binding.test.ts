import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createSecureContext, type SecureVersion, connect as tlsConnect } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import type { ChannelBinding } from '../sasl/scram.ts';
import { testAuthority } from '../testing/certificates.ts';
import { channelBinding } from './channel-binding.ts';
import { oneContext } from './server-context.ts';
import { startServerTls } from './server-handshake.ts';

const authority = testAuthority();
const { cert, key } = authority.issue(['mx.example.com']);

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** What both ends of a new connection see. */
async function handshake(maxVersion: SecureVersion) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const accepted = once(server, 'connection');
  const socket = connect(port, '127.0.0.1');
  const [taken] = await accepted;
  const client = tlsConnect({ socket, servername: 'mx.example.com', ca: authority.cert });
  const [{ tls }] = await Promise.all([
    startServerTls(taken, oneContext(createSecureContext({ cert, key, maxVersion }))),
    once(client, 'secureConnect'),
  ]);
  closing.push(() => {
    client.destroy();
    server.close();
  });
  const ours = channelBinding(client, () => client.getPeerX509Certificate());
  return { client, server: tls.binding, ours };
}

const shown = (binding: ChannelBinding | undefined, type: string) => binding?.(type)?.toString('hex');

test.each(['tls-exporter', 'tls-server-end-point'])('both ends see the same %s', async (type) => {
  const { server, ours } = await handshake('TLSv1.3');
  expect(shown(server, type)).toMatch(/^[0-9a-f]{64}$/);
  expect(shown(ours, type)).toBe(shown(server, type));
});

test('tls-exporter is of one connection, tls-server-end-point of the certificate (RFC 5929 §4.1)', async () => {
  const [one, another] = [await handshake('TLSv1.3'), await handshake('TLSv1.3')];
  expect(shown(one.server, 'tls-exporter')).not.toBe(shown(another.server, 'tls-exporter'));
  const hash = createHash('sha256').update(new X509Certificate(cert).raw).digest('hex');
  expect(shown(one.server, 'tls-server-end-point')).toBe(hash);
});

test('there is nothing of an unknown type, before TLS 1.3, or of a connection that is gone', async () => {
  const { server, client, ours } = await handshake('TLSv1.3');
  expect(shown(server, 'tls-unique')).toBeUndefined();
  client.destroy();
  expect(shown(ours, 'tls-exporter')).toBeUndefined();
  const old = await handshake('TLSv1.2');
  expect([old.server, old.ours]).toEqual([undefined, undefined]);
});
