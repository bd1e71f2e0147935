/** What a dossier keeps of one connection that was tried. */

import type { DossierEvent, Endpoint, TlsFacts } from '../dossier/event.ts';
import type { TlsFault } from '../smtp/client-verdict.ts';
import type { TlsDemand } from '../smtp/tls-demand.ts';
import type { Dialogue, DialogueLine } from '../util/dialogue.ts';
import { isIpv6 } from './replies/failure-rules.ts';

export interface Tried {
  endpoint: Endpoint;
  /** Our address. */
  source?: string | undefined;
  outran?: readonly Endpoint[];
  reused: boolean;
  startedAt: number;
  tls?: TlsFacts | undefined;
  /** What TLS lacks, and what was demanded of it. */
  fault?: TlsFault | undefined;
  demand?: TlsDemand;
  dialogue: Dialogue | undefined;
  moved?: string | undefined;
  converted?: string | undefined;
  sourceRule: string | undefined;
  error: string | undefined;
}

/** The dialogue counts its time from its first line, the event from the beginning of the connection. */
export function attemptData(tried: Tried): (DossierEvent & { event: 'attempted' })['data'] {
  const {
    source,
    outran = [],
    reused,
    startedAt,
    tls,
    dialogue,
    moved,
    converted,
    sourceRule,
    error,
  } = tried;
  const { at, lines } = dialogue?.excerpt() ?? { at: startedAt, lines: [] };
  const endpoint = withOurs(tried.endpoint, source);
  return {
    endpoint,
    reused,
    dialogue: lines.map(([offsetMs, line]): DialogueLine => [at - startedAt + offsetMs, line]),
    ...(sourceRule !== undefined && { sourceRule }),
    ...(outran.length > 0 && { outran: outran.map(({ address }) => address) }),
    ...(tls !== undefined && { tls }),
    ...(error !== undefined && { error }),
    ...(converted !== undefined && { converted }),
    ...(moved !== undefined && isIpv6(endpoint.address) && { moved }),
  };
}

/** The endpoint with the address from which we speak with it. */
export const withOurs = (endpoint: Endpoint, source: string | undefined): Endpoint =>
  source === undefined || source === endpoint.source ? endpoint : { ...endpoint, source };
