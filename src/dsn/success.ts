/** What a report is told about one recipient whom a message has reached, or left for. Plain values, gathered by the delivery. */

import type { Endpoint } from '../dossier/event.ts';
import type { Reply } from '../smtp/reply.ts';
import type { NamedRecipient } from './failure.ts';

export interface ReachedRecipient extends NamedRecipient {
  /**
   * RFC 3464 §2.3.3: `delivered` into the mailbox; `relayed` to a server that sends no reports (RFC 3461 §5.2.2 b);
   * `expanded` into several recipients, of whom nothing more is told (§5.2.7.3 c).
   */
  action: 'delivered' | 'relayed' | 'expanded';
  /** Whom we handed it to. */
  endpoint?: Endpoint;
  /** The word by which it was taken. */
  reply?: Reply;
  /** Milliseconds since the epoch. */
  at: number;
}
