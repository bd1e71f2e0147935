/** What a server shows of itself in a TLS handshake, put into our words; and what we ask it for. Judges nothing. */

import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Endpoint, TlsFacts } from '../dossier/event.ts';
import type { TlsShown } from '../smtp/conversation.ts';

/** SNI and identity check want the MX host's name; an address cannot be sent as SNI (RFC 6066 §3). */
export function serverName(name: string, { address }: Endpoint): { host: string; servername?: string } {
  const isName = !name.startsWith('[') && isIP(name) === 0;
  return isName ? { host: name, servername: name } : { host: address };
}

/** After a full handshake; `mismatch` is what the check of the name found wrong. */
export function tlsShown(socket: TLSSocket, mismatch: Error | undefined): TlsShown {
  // A wrong name alone is no distrust: Node looks at it last, when the chain has proven good.
  const trusted = socket.authorized || mismatch !== undefined;
  return {
    facts: tlsFacts(socket, mismatch),
    distrust: trusted ? undefined : String(socket.authorizationError),
    chain: () => chainOf(socket),
  };
}

/**
 * After a session was taken up again: what was shown at its beginning. Node looks at the name in full handshakes only, and
 * would call trusted now what was not then.
 */
export function shownAgain(socket: TLSSocket, shown: TlsShown): TlsShown {
  return { ...shown, facts: { ...shown.facts, ...sessionFacts(socket), resumed: true } };
}

/** The same for later, when the socket is gone. */
export function lasting(shown: TlsShown): TlsShown {
  const chain = shown.chain();
  return { ...shown, chain: () => chain };
}

/** More than any chain needs: a root, some issuers, cross-signatures. */
const maxChainLength = 16;

/** As it was sent: Node hands on each next certificate as the issuer of the one before, whether or not it is. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < maxChainLength) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

function tlsFacts(socket: TLSSocket, mismatch: Error | undefined): TlsFacts {
  // Typed as an Error, but it is OpenSSL's name of what is wrong, such as SELF_SIGNED_CERT_IN_CHAIN.
  const reason = mismatch?.message ?? String(socket.authorizationError).toLowerCase().replaceAll('_', ' ');
  return { ...sessionFacts(socket), certificate: socket.authorized ? 'verified' : reason };
}

const sessionFacts = (socket: TLSSocket) => ({
  version: socket.getProtocol() ?? 'unknown',
  cipher: socket.getCipher().name,
});
