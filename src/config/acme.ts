/** Certificates from an authority: `[acme]`. RFC 8555. */

import * as v from 'valibot';
import * as kinds from './kinds.ts';
import type { SecretSource } from './secret.ts';
import * as values from './values.ts';

export interface AcmeConfig {
  enabled: boolean;
  /** URL of the authority's directory. */
  directory: string;
  /** Whom the authority may write to. */
  contact?: string;
  challenge: 'http-01' | 'tls-alpn-01' | 'dns-01';
  /** A program and its first arguments, for dns-01. */
  hook: readonly string[];
  keyType: 'ecdsa' | 'rsa';
  /** PEM file of certificate authorities that the directory's own certificate may come from, besides the system's. */
  caFile?: string;
  /** RFC 8555 §7.3.4: what the authority has given to its customer. */
  eabKeyId?: string;
  eabKeyFile?: SecretSource;
  /** The user has read the authority's terms. */
  termsAgreed: boolean;
  /** A new key waits until DNS has shown its TLSA record for long enough, also where there are no TLSA records yet. */
  dane: boolean;
}

export const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory';

export const acmeShape = (directory: string) => ({
  enabled: v.optional(kinds.flag(), true),
  directory: v.optional(values.httpsUrl(), letsEncrypt),
  contact: v.exactOptional(values.mailAddress()),
  challenge: v.optional(kinds.oneOf('http-01', 'tls-alpn-01', 'dns-01'), 'http-01'),
  hook: v.optional(kinds.list(values.commandWord(), '["/usr/local/bin/dns-hook"]'), []),
  keyType: v.optional(kinds.oneOf('ecdsa', 'rsa'), 'ecdsa'),
  caFile: v.exactOptional(values.path(directory)),
  eabKeyId: v.exactOptional(values.oneLine()),
  eabKeyFile: v.exactOptional(values.secret(directory)),
  termsAgreed: v.optional(kinds.flag(), false),
  dane: v.optional(kinds.flag(), false),
});
