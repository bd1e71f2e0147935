/** What TLS has to show at the host of a transport, as its `tls` key says. */

import type { RelayTransport } from '../../config/transport.ts';
import type { TlsPolicyFacts } from '../../dossier/event.ts';
import { opportunistic, type TlsDemand } from '../../smtp/tls-demand.ts';

/** Nobody listens in on a Unix socket, whatever its server offers there. */
const inClear: TlsDemand = { key: 'socket', use: 'never' };

export function demandOf({ at, tls: wanted }: Pick<RelayTransport, 'at' | 'tls'>): TlsDemand {
  if ('socket' in at) return inClear;
  if (wanted === 'opportunistic') return opportunistic;
  if (wanted === 'required') return { key: wanted, use: 'always' };
  return {
    key: wanted,
    use: 'always',
    judge({ facts: { certificate = 'none' } }) {
      if (certificate === 'verified') return undefined;
      return { type: 'certificate-not-trusted', reason: `the certificate is not in order: ${certificate}` };
    },
  };
}

/** The same for the dossier. */
export function demandFacts({ at, tls: wanted }: Pick<RelayTransport, 'at' | 'tls'>): TlsPolicyFacts {
  if ('socket' in at) return { kind: 'none', evidence: 'the transport is a Unix socket of this machine' };
  if (wanted === 'opportunistic')
    return { kind: 'none', evidence: 'the transport uses TLS where it is offered' };
  return { kind: wanted, evidence: 'the transport asks for it' };
}
