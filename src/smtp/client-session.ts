/** A connection to another server that is open for mail: what it offers, and what was found out on the way. */

import type { TlsFacts } from '../dossier/event.ts';
import type { Extensions } from './client-extensions.ts';
import type { SessionQuota } from './client-limits.ts';
import type { TlsFault } from './client-verdict.ts';
import type { Conversation } from './conversation.ts';

/** A conversation in which mail can be sent. */
export interface Session {
  readonly conversation: Conversation;
  /** What the receiver offers; what it does not do may be taken away. */
  extensions: Extensions;
  /** What is left of the limits that the receiver has announced, if it has. */
  quota?: SessionQuota;
  readonly tls?: TlsFacts;
  /** What TLS lacks under a policy that is only tested. */
  readonly fault?: TlsFault;
  /** Default: `smtp`. */
  readonly protocol?: 'lmtp';
  /** A transaction was begun and not brought to its end: RSET goes before the next (RFC 5321 §4.1.1.5). */
  needsReset: boolean;
}
