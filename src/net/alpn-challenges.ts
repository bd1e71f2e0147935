/**
 * What an authority is to find when it looks whether a name is ours by TLS (RFC 8737): for the protocol `acme-tls/1` a
 * certificate of that one moment, and nothing said. Everybody else is served as ever, and looked at only while one is awaited.
 */

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import {
  dnsName,
  extension,
  newEcKey,
  subjectAltNames,
  writeCertificate,
} from '../util/certificate-writer.ts';
import { octetString } from '../util/der.ts';
import { type ClientHello, HelloReader } from './client-hello.ts';
import { type SecureContext, serverContext } from './server-context.ts';

export const acmeProtocol = 'acme-tls/1';

/** Time for the client's first message, and for the handshake after it. */
const helloMs = 10_000;
const handshakeMs = 10_000;

export class AlpnChallenges {
  readonly #contexts = new Map<string, SecureContext>();

  get isAwaited(): boolean {
    return this.#contexts.size > 0;
  }

  /** `digest` is SHA-256 of the key authorization. Returns how to take it away again. */
  show(name: string, digest: Buffer): () => void {
    const context = challengeContext(name, digest);
    this.#contexts.set(name, context);
    return () => {
      if (this.#contexts.get(name) === context) this.#contexts.delete(name);
    };
  }

  /**
   * Resolves to true where the connection was an authority's, and is over; to false for everybody else, whose octets are
   * all still to be read.
   */
  async answered(socket: Socket): Promise<boolean> {
    const hello = await peekHello(socket);
    if (socket.destroyed) return true;
    if (hello === undefined || !hello.protocols.includes(acmeProtocol)) return false;
    const secureContext = this.#contexts.get(hello.serverName ?? '');
    if (secureContext === undefined) socket.destroy();
    else await shakeHands(socket, secureContext);
    return true;
  }
}

/** RFC 8737 §3: signed by itself, for that name, with the digest in a critical extension. */
function challengeContext(name: string, digest: Buffer): SecureContext {
  const key = newEcKey();
  const now = Date.now();
  const cert = writeCertificate({
    subject: 'ACME challenge',
    subjectKey: key,
    extensions: [
      subjectAltNames([dnsName(name)]),
      extension('1.3.6.1.5.5.7.1.31', octetString(digest), { critical: true }),
    ],
    notBefore: now - 86_400_000,
    notAfter: now + 86_400_000,
  });
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return serverContext({ cert, key: pem, audience: 'users' });
}

async function shakeHands(socket: Socket, secureContext: SecureContext): Promise<void> {
  const secure = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: [acmeProtocol] });
  secure.on('error', () => secure.destroy());
  const late = setTimeout(() => secure.destroy(), handshakeMs);
  // The authority has seen all it wants, and closes (RFC 8737 §3).
  secure.once('secure', () => secure.end());
  secure.resume();
  await once(secure, 'close').finally(() => clearTimeout(late));
}

/** Undefined for what is no TLS, or takes too long. What was read is put back. */
function peekHello(socket: Socket): Promise<ClientHello | undefined> {
  return new Promise((resolve) => {
    const reader = new HelloReader();
    const pieces: Buffer[] = [];
    const done = (hello: ClientHello | undefined) => {
      clearTimeout(timer);
      socket.off('data', read).off('end', over).off('close', over).off('error', over);
      socket.pause();
      if (pieces.length > 0) socket.unshift(Buffer.concat(pieces));
      resolve(hello);
    };
    const over = () => done(undefined);
    const timer = setTimeout(over, helloMs);
    const read = (piece: Buffer) => {
      pieces.push(piece);
      const hello = reader.read(piece);
      if (hello !== 'more') done(hello);
    };
    socket.on('data', read).once('end', over).once('close', over).once('error', over);
    socket.resume(); // a listener leaves a connection that begins with TLS unread
  });
}
