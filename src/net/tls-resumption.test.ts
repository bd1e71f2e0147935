import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type SecureVersion } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { openSession } from '../smtp/client.ts';
import type { TlsShown, TlsWanted } from '../smtp/conversation.ts';
import type { TlsDemand } from '../smtp/tls-demand.ts';
import { type Certificate, testAuthority } from '../testing/certificates.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { socketDialler } from './conversation.ts';
import { verdictLifeMs } from './tls-sessions.ts';

const authority = testAuthority();
const servers: AsyncDisposable[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

interface Visit extends TlsWanted {
  source?: string;
  host?: string;
}

/** A server that greets everybody over TLS, and a client that trusts its authority. */
async function stage(certificate: Certificate, maxVersion: SecureVersion = 'TLSv1.3') {
  const server = createServer({ ...certificate, maxVersion }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.write('220 mx ready\r\n');
    socket.on('data', () => socket.write('250 mx\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push({ [Symbol.asyncDispose]: async () => void server.close() });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const clock: FakeClock = fakeClock();
  const dial = socketDialler({ clock, authorities: [authority.cert] });
  const visit = async ({ source, host = 'mx.example.net', ...wanted }: Visit = {}): Promise<TlsShown> => {
    const endpoint = { host, address: '127.0.0.1', port, ...(source !== undefined && { source }) };
    const conversation = await dial(endpoint, { timeoutMs: 5000 });
    const shown = await conversation.startTls(5000, wanted);
    await conversation.reply(5000); // by then the tickets are here
    shown.chain();
    conversation.close();
    return shown;
  };
  /** The same as a session of SMTP, under a demand. */
  const open = async (demand: TlsDemand) => {
    const endpoint = { host: 'mx.example.net', address: '127.0.0.1', port, implicitTls: true } as const;
    const conversation = await dial(endpoint, { timeoutMs: 5000 });
    const opening = await openSession(conversation, { ehloName: 'mx.example.com', demand });
    conversation.close();
    return 'session' in opening ? opening.session.tls : opening.tls;
  };
  return { visit, open, clock };
}

const good = authority.issue(['mx.example.net']);
const subjectsOf = (shown: TlsShown) => shown.chain().map(({ subject }) => subject);

describe.each<SecureVersion>(['TLSv1.3', 'TLSv1.2'])('TLS sessions under %s', (version) => {
  it('are taken up again, and again, with what the certificate was worth at the beginning', async () => {
    const { visit } = await stage(good, version);
    const first = await visit();
    expect(first.facts).toMatchObject({ version, certificate: 'verified' });
    expect(first.facts).not.toHaveProperty('resumed');
    for (let again = 0; again < 2; again++) {
      const next = await visit();
      expect(next.facts).toEqual({ ...first.facts, resumed: true });
      expect(next.distrust).toBeUndefined();
      expect(subjectsOf(next)).toEqual(['CN=mx.example.net']);
    }
  });

  it('keep a verdict that is not good: neither the name nor the authority improves', async () => {
    const other = await stage(authority.issue(['other.example.net']), version);
    const wrongName = await other.visit();
    expect(wrongName.facts.certificate).toContain('other.example.net');
    expect((await other.visit()).facts).toEqual({ ...wrongName.facts, resumed: true });

    const stranger = await stage(testAuthority('somebody').issue(['mx.example.net']), version);
    const { facts, distrust } = await stranger.visit();
    expect(distrust).toEqual(expect.any(String));
    expect(await stranger.visit()).toMatchObject({ distrust, facts: { ...facts, resumed: true } });
  });

  it.each<[string, Visit]>([
    ['another policy', { key: 'dane 3 1 1' }],
    ['another name asked for', { serverName: 'example.net' }],
    ['another host', { host: 'mx2.example.net' }],
    ['another address of ours', { source: '127.0.0.9' }],
  ])('are not taken up for %s', async (_, other) => {
    const { visit } = await stage(good, version);
    await visit();
    expect((await visit(other)).facts).not.toHaveProperty('resumed');
    expect((await visit()).facts).toMatchObject({ resumed: true });
  });

  it('are forgotten where what was shown is not good enough', async () => {
    const { visit } = await stage(good, version);
    (await visit()).forget?.();
    expect((await visit()).facts).not.toHaveProperty('resumed');
  });

  it.each([
    [false, 'whose certificate was refused, or accepted only for a test'],
    [true, 'of a policy that was satisfied'],
  ])('resumed: %s, for a session of SMTP %s', async (isResumed) => {
    const { open } = await stage(good, version);
    const fault = { type: 'validation-failure', reason: 'no record names it' } as const;
    const demand: TlsDemand = { key: 'dane', use: 'always', judge: () => (isResumed ? undefined : fault) };
    await open(demand);
    expect((await open(demand))?.resumed ?? false).toBe(isResumed);
    await open({ ...demand, tolerant: true });
    expect((await open({ ...demand, tolerant: true }))?.resumed ?? false).toBe(isResumed);
  });

  it('end an hour after the certificate was shown, however often they were taken up meanwhile', async () => {
    const { visit, clock } = await stage(good, version);
    await visit();
    clock.advance(verdictLifeMs / 2);
    expect((await visit()).facts).toMatchObject({ resumed: true });
    clock.advance(verdictLifeMs / 2);
    expect((await visit()).facts).not.toHaveProperty('resumed');
  });
});
