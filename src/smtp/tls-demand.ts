/**
 * What TLS has to show before mail is handed over. The SMTP client follows it and knows no policy: whoever opens a
 * session says what is demanded, and how to tell whether it was shown.
 */

import type { TlsFault } from './client-verdict.ts';
import type { TlsShown } from './conversation.ts';

export interface TlsDemand {
  /** Sessions that were opened under the same key had to show the same. '' for `opportunistic`. */
  key: string;
  /**
   * `always`: without TLS there is no session. `offered`: TLS where it is offered, and then it has to come about.
   * `never`: clear text, for a receiver that offers TLS and fails at it.
   */
  use: 'always' | 'offered' | 'never';
  /** What is asked for by SNI, where it is not the endpoint's host. */
  serverName?: string;
  /** What is wrong with what was shown; undefined if nothing is. Not asked for where TLS is missing. */
  judge?(shown: TlsShown): TlsFault | undefined;
  /** A fault, a missing TLS too, is written down, and the session goes on. */
  tolerant?: true;
}

/** RFC 7435: encryption to an unknown peer beats clear text, and clear text beats nothing. */
export const opportunistic: TlsDemand = { key: '', use: 'offered' };

/** What a receiver lacks that offers no STARTTLS, or refuses it. */
export const noTls = (reason: string): TlsFault => ({ type: 'starttls-not-supported', reason });
