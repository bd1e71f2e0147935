import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { systemClock } from '../util/clock.ts';
import { socketDialler } from './conversation.ts';
import { parseKeyPair } from './key-pair.ts';
import { startServerTls } from './server-handshake.ts';
import { Certificates } from './tls-context.ts';
import { type TlsFailureReason, tlsFailureReason } from './tls-failure.ts';

const authority = testAuthority();
const certificate = authority.issue(['mx.example.com']);

afterEach(() => vi.useRealTimers());

/** What the server finds of one handshake, each time that it is told. */
async function failuresAt(visit: (port: number) => Promise<unknown> | unknown): Promise<TlsFailureReason[]> {
  const reasons: TlsFailureReason[] = [];
  const told = (error: Error) => reasons.push(tlsFailureReason(error));
  const certificates = new Certificates('mx.example.com', undefined, told);
  const pair = parseKeyPair(certificate.cert, certificate.key);
  certificates.replace('configuration', [{ pair, file: 'mx.pem' }]);
  const over = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.once('close', () => over.resolve());
    startServerTls(socket, certificates.users).then(
      (shaken) => shaken.socket.destroy(),
      () => socket.destroy(),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await visit(typeof address === 'object' && address !== null ? address.port : 0);
  await over.promise;
  server.close();
  return reasons;
}

const shaking = (options: ConnectionOptions) => (port: number) =>
  tlsConnect({ port, host: '127.0.0.1', servername: 'mx.example.com', ...options }).on(
    'error',
    () => undefined,
  );

const saying = (octets: string) => (port: number) => {
  const client = connect(port, '127.0.0.1').on('error', () => undefined);
  client.end(octets);
};

describe('a handshake at a listener fails, which is told once', () => {
  test.each<[TlsFailureReason, string, (port: number) => unknown]>([
    ['not_tls', 'speaks HTTP', saying('GET / HTTP/1.1\r\n\r\n')],
    ['not_tls', 'speaks SMTP', saying('EHLO client.example.org\r\n')],
    ['closed', 'says nothing', saying('')],
    [
      'version',
      'knows old versions',
      shaking({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
    ],
    [
      'agreement',
      'knows other ciphers',
      shaking({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }),
    ],
    [
      'closed',
      'does not trust ours, and is Node, which sends no alert',
      shaking({ ca: testAuthority('another').cert }),
    ],
  ])('"%s" where the client %s', async (reason, _, visit) => {
    expect(await failuresAt(visit)).toEqual([reason]);
  });

  test('"timeout" where the client keeps silent', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const visit = async (port: number) => {
      const client = connect(port, '127.0.0.1').on('error', () => undefined);
      await once(client, 'connect');
      while (vi.getTimerCount() === 0) await new Promise(setImmediate);
      vi.advanceTimersByTime(30_000);
    };
    expect(await failuresAt(visit)).toEqual(['timeout']);
  });

  test('and one that succeeds is none', async () => {
    expect(await failuresAt(shaking({ ca: authority.cert }))).toEqual([]);
  });
});

describe('a handshake with another server fails, which is told once', () => {
  test.each<[TlsFailureReason, string]>([
    ['not_tls', '554 We speak SMTP here\r\n'],
    ['closed', ''],
  ])('"%s" where it says "%s"', async (reason, answer) => {
    const reasons: TlsFailureReason[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(answer));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const onTlsFailure = (error: Error) => reasons.push(tlsFailureReason(error));
    const dial = socketDialler({ clock: systemClock, onTlsFailure });
    const endpoint = { host: 'mx.example.net', address: '127.0.0.1', port };
    const conversation = await dial(endpoint, { timeoutMs: 1000 });
    await expect(conversation.startTls(1000)).rejects.toMatchObject({ kind: 'tls' });
    conversation.close();
    expect(reasons).toEqual([reason]);
    server.close();
  });

  test('"timeout"', async () => {
    const reasons: TlsFailureReason[] = [];
    const clock = fakeClock();
    await using peer = await scriptedPeer(['C: STARTTLS\nS: 220 go\n== unread']);
    const dial = socketDialler({ clock, onTlsFailure: (error) => reasons.push(tlsFailureReason(error)) });
    const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
    conversation.send(['STARTTLS']);
    await conversation.reply(1000);
    const started = conversation.startTls(1000);
    clock.advance(1000);
    await expect(started).rejects.toMatchObject({ kind: 'tls' });
    expect(reasons).toEqual(['timeout']);
  });

  test('but a connection that we end is none', async () => {
    const reasons: TlsFailureReason[] = [];
    await using peer = await scriptedPeer(['C: STARTTLS\nS: 220 go\n== unread']);
    const dial = socketDialler({
      clock: systemClock,
      onTlsFailure: (error) => reasons.push(tlsFailureReason(error)),
    });
    const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
    conversation.send(['STARTTLS']);
    await conversation.reply(1000);
    const started = conversation.startTls(60_000);
    conversation.close();
    await expect(started).rejects.toMatchObject({ kind: 'aborted' });
    expect(reasons).toEqual([]);
  });
});

test.each([
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'version'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'certificate'],
  ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'certificate'],
  ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'agreement'],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'certificate'],
  ['ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM', 'agreement'],
  ['ERR_SSL_BAD_EXTENSION', 'other'],
  ['EHOSTUNREACH', 'other'],
])('tlsFailureReason() of %s is "%s"', (code, reason) => {
  const inner = Object.assign(new Error('as OpenSSL says'), { code });
  expect([inner, new Error('outer', { cause: inner })].map(tlsFailureReason)).toEqual([reason, reason]);
});
