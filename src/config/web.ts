/** What the web listeners serve, and to whom: `[web]`, and a domain's `mtaSts`. */

import * as v from 'valibot';
import * as kinds from './kinds.ts';
import type { SecretSource } from './secret.ts';
import * as values from './values.ts';

export interface WebConfig {
  /** CIDR blocks from which `/metrics` may be read. */
  metrics: readonly string[];
  /** What whoever reads `/metrics` must show, as a bearer token (RFC 6750). */
  metricsTokenFile?: SecretSource;
  /** CIDR blocks of the web servers in front: by them alone clients come to listeners that are `proxied`. */
  proxies: readonly string[];
  /** Connections at once, on all web listeners together; those of mail are counted apart. */
  connections: number;
  /** Connections at once of one client. */
  connectionsPerAddress: number;
}

/** RFC 8461 §3.2. */
export interface MtaStsConfig {
  mode: 'enforce' | 'testing' | 'none';
  /** How long senders may keep the policy. */
  maxAgeDays?: number;
  /** Hosts that take the domain's mail, `*.` and a domain for all of one; default: our hostname. */
  mx?: readonly string[];
}

const loopback = ['127.0.0.0/8', '::1/128'];

export const webShape = (directory: string) => ({
  metrics: v.optional(kinds.list(values.network(), '["127.0.0.1", "192.0.2.0/24"]'), loopback),
  metricsTokenFile: v.exactOptional(values.secret(directory)),
  proxies: v.optional(kinds.list(values.proxyNetwork(), '["192.0.2.10"]'), loopback),
  connections: v.optional(kinds.count(1, 10_000, 'connections'), 200),
  connectionsPerAddress: v.optional(kinds.count(1, 10_000, 'connections'), 20),
});

export const mtaStsShape = {
  mode: v.optional(kinds.oneOf('enforce', 'testing', 'none'), 'testing'),
  maxAgeDays: v.exactOptional(kinds.count(1, 365, 'days')),
  mx: v.exactOptional(kinds.list(values.mxPattern(), '["mx.example.com"]')),
};
