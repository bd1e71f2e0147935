import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { createLog } from '../util/log.ts';
import { parseKeyPair } from './key-pair.ts';
import { listen } from './listener.ts';
import { Certificates } from './tls-context.ts';

const digest = createHash('sha256').update('token.thumbprint').digest();

/** A listener with TLS from the first octet, which says hello to whom it lets in. */
async function stage() {
  const certificates = new Certificates('mx.example.com');
  const { cert, key } = testAuthority().issue(['mx.example.com']);
  certificates.replace('configuration', [{ pair: parseKeyPair(cert, key), file: 'own.pem' }]);
  const served: string[] = [];
  const listener = await listen({
    address: '127.0.0.1',
    port: 0,
    implicitTls: certificates.users,
    enter: () => ({ leave: () => undefined }),
    log: createLog('silent'),
    serve(socket, peer) {
      served.push(peer.address);
      socket.on('error', () => socket.destroy());
      socket.end('hello');
    },
  });
  onTestFinished(() => listener.close());
  const visit = async (servername: string, protocols: string[]) => {
    const { port } = listener;
    const client = tlsConnect({
      port,
      host: '127.0.0.1',
      servername,
      ALPNProtocols: protocols,
      rejectUnauthorized: false,
    });
    let said = '';
    client.on('data', (bytes) => {
      said += bytes;
    });
    try {
      await once(client, 'secureConnect');
      const certificate = client.getPeerX509Certificate();
      const protocol = client.alpnProtocol;
      await once(client, 'close');
      return { names: certificate?.subjectAltName, raw: certificate?.raw, protocol, said };
    } finally {
      client.destroy();
    }
  };
  return { certificates, visit, served, port: listener.port };
}

describe('AlpnChallenges', () => {
  it('show an authority the digest, for the name it asks for, and say nothing', async () => {
    const { certificates, visit, served } = await stage();
    certificates.challenges.show('mta-sts.example.com', digest);
    const shown = await visit('mta-sts.example.com', ['acme-tls/1']);
    expect(shown).toMatchObject({ names: 'DNS:mta-sts.example.com', protocol: 'acme-tls/1', said: '' });
    // acmeIdentifier, critical, an OCTET STRING in an OCTET STRING (RFC 8737 §3)
    const extension = Buffer.from('06082b0601050507011f0101ff04220420', 'hex');
    expect(shown.raw?.includes(Buffer.concat([extension, digest]))).toBe(true);
    expect(served).toEqual([]);
  });

  it('serve everybody else as ever meanwhile', async () => {
    const { certificates, visit } = await stage();
    certificates.challenges.show('mx.example.com', digest);
    expect(await visit('mx.example.com', [])).toMatchObject({ names: 'DNS:mx.example.com', said: 'hello' });
    expect(await visit('mx.example.com', ['http/1.1'])).toMatchObject({ said: 'hello' });
  });

  it('end a connection for a name that nothing is awaited for', async () => {
    const { certificates, visit, served } = await stage();
    certificates.challenges.show('mx.example.com', digest);
    await expect(visit('other.example.com', ['acme-tls/1'])).rejects.toThrow();
    expect(served).toEqual([]);
  });

  it('are over when they are taken away, but not the one that came after', async () => {
    const { challenges } = (await stage()).certificates;
    const first = challenges.show('mx.example.com', digest);
    const second = challenges.show('mx.example.com', digest);
    first();
    expect(challenges.isAwaited).toBe(true);
    second();
    expect(challenges.isAwaited).toBe(false);
  });

  it('bear who goes away, and who speaks no TLS', async () => {
    const { certificates, visit, served, port } = await stage();
    certificates.challenges.show('mx.example.com', digest);
    const plain = connectPlain({ port, host: '127.0.0.1' });
    plain.on('error', () => plain.destroy());
    plain.end('QUIT\r\n');
    plain.resume();
    await once(plain, 'close');
    const hasty = connectPlain({ port, host: '127.0.0.1' });
    await once(hasty, 'connect');
    hasty.destroy();
    expect(await visit('mx.example.com', [])).toMatchObject({ said: 'hello' });
    expect(served).toHaveLength(1);
  });
});
