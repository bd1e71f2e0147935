/** The parts of TLS policies, made from the configuration: the same for the server and for `send --direct`. */

import type { Config } from '../../config/config.ts';
import type { Resolver } from '../../dns/resolver.ts';
import type { Https } from '../../net/https.ts';
import type { OnTlsResult } from '../../tls-rpt/result.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import type { SendTlsParts } from './attempt-tls.ts';
import { BrokenTls } from './broken-tls.ts';
import { type MemoStore, StsPolicies } from './sts-policies.ts';
import type { TlsParts } from './tls-policy.ts';

export interface OutboundTlsParts {
  clock: Clock;
  resolver: Resolver;
  https: Https;
  log: Log;
  /** Where policies outlive the process; absent: they do not. */
  store?: MemoStore;
  onTlsResult?: OnTlsResult | undefined;
}

export interface OutboundTls {
  /** For the policies. */
  policies: TlsParts;
  /** For the dialogue. */
  send: SendTlsParts;
  sts: StsPolicies;
}

/** `sts` is to be started, where it should keep policies fresh, and closed. */
export function createTls({ delivery }: Config, parts: OutboundTlsParts): OutboundTls {
  const { clock, resolver, https, log, store, onTlsResult } = parts;
  const sts = new StsPolicies({ resolver, https, clock, log, store, onTlsResult, port: delivery.httpsPort });
  return {
    policies: { resolver, clock, sts, onTlsResult },
    send: { broken: new BrokenTls(clock), now: clock.now, onTlsResult },
    sts,
  };
}
