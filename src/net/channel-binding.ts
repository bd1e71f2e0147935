/**
 * What identifies a TLS connection to both of its ends, so that a login can be bound to it: RFC 9266 (`tls-exporter`) and
 * RFC 5929 §4 (`tls-server-end-point`). Computed only when asked for.
 */

import { createHash, type X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { ChannelBinding } from '../sasl/scram.ts';

/** RFC 9266 §2. */
const exporterBytes = 32;
const exporterLabel = 'EXPORTER-Channel-Binding';

/**
 * `certificate` finds the server's, whichever end we are. Undefined before TLS 1.3: two connections could be made to share
 * what is exported (RFC 9266 §3), and clients would choose `tls-unique`, which Node does not give us.
 */
export function channelBinding(
  socket: TLSSocket,
  certificate: () => X509Certificate | undefined,
): ChannelBinding | undefined {
  if (socket.getProtocol() !== 'TLSv1.3') return undefined;
  return (type) => {
    if (socket.destroyed) return undefined;
    if (type === 'tls-exporter')
      return socket.exportKeyingMaterial(exporterBytes, exporterLabel, Buffer.alloc(0));
    return type === 'tls-server-end-point' ? endPoint(certificate()) : undefined;
  };
}

/** Undefined where the certificate's signature has no hash of its own (Ed25519), or Node does not tell which. */
function endPoint(certificate: X509Certificate | undefined): Buffer | undefined {
  const [, digits] = /(?:sha-?|md)(\d+)/i.exec(certificate?.signatureAlgorithm ?? '') ?? [];
  if (certificate === undefined || digits === undefined) return undefined;
  // RFC 5929 §4.1: SHA-256 in the place of MD5 and SHA-1.
  const isWeak = digits === '1' || digits === '5';
  return createHash(isWeak ? 'sha256' : `sha${digits}`)
    .update(certificate.raw)
    .digest();
}
