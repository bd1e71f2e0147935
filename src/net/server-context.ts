/**
 * The TLS settings of our listeners: TLS 1.2 and newer (RFC 8996), forward secrecy and AEAD for our users, as Mozilla's
 * "intermediate" has it; on port 25 some more, because a server that finds no cipher in common sends in clear text instead.
 */

import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';

export type { SecureContext };

/** Servers come to port 25, and encrypt if they can; users and their programs to all else, and always do. */
export type Audience = 'servers' | 'users';

/** What a listener shakes hands with. */
export interface ServerTls {
  /** For the name that a client asks for (SNI, RFC 6066 §3); undefined: for one that asks for none. */
  contextFor(serverName: string | undefined): SecureContext;
  /** False where the answer is always the same. */
  choosesByName(): boolean;
  /** The certificate of that context; absent: as the connection says. */
  certificateFor?(serverName: string | undefined): X509Certificate;
  /** Told of each handshake that failed. */
  onFailure?(error: Error): void;
  /** Where an authority may come to look, with TLS from the first octet. */
  challenges?: AlpnAnswering;
}

/** As `AlpnChallenges` has it. */
export interface AlpnAnswering {
  readonly isAwaited: boolean;
  answered(socket: Socket): Promise<boolean>;
}

/** In OpenSSL's words; what of them is of TLS 1.3 comes first. */
const modernCiphers = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
/** Of TLS 1.2, for servers that have not been touched for ten years: without AEAD, and at the end without forward secrecy. */
const olderCiphers = [
  'DHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA256',
  'AES128-SHA',
  'AES256-SHA',
];

const ciphersFor: Record<Audience, string> = {
  users: modernCiphers.join(':'),
  servers: [...modernCiphers, ...olderCiphers].join(':'),
};

export interface ContextParts {
  cert: string;
  key: string;
  audience: Audience;
  /** 48 octets: whoever has them can read tickets. Contexts that share them take up each other's sessions. */
  ticketKeys?: Buffer;
}

/**
 * Nobody renegotiates: in TLS 1.2 each time costs us far more than the client (CVE-2011-1473), and 1.3 has done away
 * with it. Throws OpenSSL's error when certificate and key do not fit.
 */
export const serverContext = ({ cert, key, audience, ticketKeys }: ContextParts): SecureContext =>
  createSecureContext({
    cert,
    key,
    minVersion: 'TLSv1.2',
    ciphers: ciphersFor[audience],
    honorCipherOrder: true,
    ...(audience === 'servers' && { dhparam: 'auto' }),
    ...(ticketKeys !== undefined && { ticketKeys }),
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  });

/** For tests and peers with one certificate. */
export const oneContext = (context: SecureContext): ServerTls => ({
  contextFor: () => context,
  choosesByName: () => false,
});
