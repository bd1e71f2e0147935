/** How it stands with the certificates that come from an authority, as data for commands and monitors. */

import type { KeyObject } from 'node:crypto';
import type { WantedCertificate } from '../config/wanted-certificates.ts';
import type { CertificateFacts, KeyPair } from '../net/key-pair.ts';
import type { GateAnswer } from './key-gate.ts';
import { spkiSha256 } from './keys.ts';
import type { CertificateState } from './vault.ts';

/** A certificate as it is kept in memory. */
export interface KeptCertificate {
  wanted: WantedCertificate;
  /** Those of the wanted names that DNS leads to us. */
  names: readonly string[];
  pair: KeyPair | undefined;
  nextKey: KeyObject | undefined;
  /** The one before, whose key others may know: not revoked yet. */
  replaced?: KeyPair | undefined;
  gate?: GateAnswer;
  note?: string;
}

export interface IssuedStatus {
  id: string;
  /** Those that are wanted at present. */
  names: readonly string[];
  certificate?: CertificateFacts;
  /** Milliseconds since the epoch, as all below. */
  renewAt?: number;
  /** The authority's advice (RFC 9773). */
  advice?: { start: number; end: number; explanation?: string };
  /** Attempts in a row that came to nothing. */
  failures: number;
  lastError?: { at: number; text: string };
  /** Nothing is asked before; `isAsked`: because the authority wants it so. */
  notBefore?: number;
  isAsked?: boolean;
  /** A key that is to be used: SHA-256 of it as TLSA 3 1 1 has it, and what it waits for. */
  nextKey?: { sha256: string; since?: number; waitsFor?: string; opensAt?: number };
  /** The one before, whose key was replaced at once, and which is not revoked: who has its key can still pretend to be us. */
  replaced?: CertificateFacts;
  /** Why nothing is asked for. */
  note?: string;
}

export interface AcmeStatus {
  directory: string;
  challenge: string;
  /** Absent: the authority does not know us yet. */
  account?: string;
  /** Why the account on disk cannot be used, and what to do: sentences. */
  accountProblem?: string;
  /** Our clock is so far ahead of the authority's; absent: they agree, or it was not asked yet. */
  clockAheadMs?: number;
  certificates: IssuedStatus[];
}

export function statusOf(
  { wanted, names, pair, nextKey, replaced, gate, note }: KeptCertificate,
  { rollover, askAdviceAt: _, attemptedAt: __, issuedAt: ___, ...state }: CertificateState,
): IssuedStatus {
  return {
    id: wanted.id,
    names,
    ...(pair && { certificate: pair.facts }),
    ...state,
    ...(nextKey && {
      nextKey: {
        sha256: spkiSha256(nextKey),
        ...(rollover && { since: rollover.since }),
        ...(gate?.why !== undefined && { waitsFor: gate.why }),
        ...(gate?.opensAt !== undefined && { opensAt: gate.opensAt }),
      },
    }),
    ...(replaced && { replaced: replaced.facts }),
    ...(note !== undefined && { note }),
  };
}
