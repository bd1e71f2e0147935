/** What goes wrong, and how long it takes, below the mail: TLS handshakes and DNS. */

import { Counter, Histogram, type Registry } from 'prom-client';
import type { LookUp } from '../dns/watched-resolver.ts';
import type { TlsFailureReason } from '../net/tls-failure.ts';

/** In seconds: from a resolver on this machine to one that has been asked as often as it is. */
const lookUps = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 12];

export interface NetworkMetrics {
  /** `in`: at a listener of ours. */
  handshakeFailed(direction: 'in' | 'out', reason: TlsFailureReason): void;
  lookedUp(lookUp: LookUp): void;
}

export function networkMetrics(registry: Registry): NetworkMetrics {
  const registers = [registry];
  const failures = new Counter({
    name: 'posthorn_tls_handshake_failures_total',
    help: 'TLS handshakes that came to nothing, by why.',
    labelNames: ['direction', 'reason'],
    registers,
  });
  const answers = new Counter({
    name: 'posthorn_dns_lookups_total',
    help: 'Questions to name servers, by type and by what came of them.',
    labelNames: ['type', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'posthorn_dns_lookup_seconds',
    help: 'Time until a question to name servers was answered, or given up.',
    buckets: lookUps,
    registers,
  });
  return {
    handshakeFailed: (direction, reason) => failures.inc({ direction, reason }),
    lookedUp({ type, outcome, durationMs }) {
      answers.inc({ type, outcome });
      durations.observe(durationMs / 1000);
    },
  };
}
