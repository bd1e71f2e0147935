/** How a step of the SMTP client ended, as a value. What follows from it for the queue is decided in delivery/. */

import type { TlsFailureType } from '../tls-rpt/result.ts';
import { ConversationError } from './conversation.ts';
import type { Reply } from './reply.ts';

/** What we were doing, in words for dossiers and bounces. */
export type Phase =
  | 'connecting'
  | 'waiting for the greeting'
  | 'sending EHLO'
  | 'sending HELO'
  | 'sending LHLO'
  | 'sending STARTTLS'
  | 'negotiating TLS'
  | 'comparing TLS with what its policy demands'
  | 'authenticating'
  | 'comparing the message with what the receiver offers'
  | 'sending RSET'
  | 'sending MAIL FROM'
  | 'sending RCPT TO'
  | 'sending DATA'
  | 'sending the message'
  | 'sending end of data';

export type Verdict =
  /** The receiver's answer. */
  | { by: 'reply'; phase: Phase; reply: Reply }
  /** The connection failed before an answer. In phase `sending end of data` nobody knows what became of the message. */
  | { by: 'connection'; phase: Phase; error: ConversationError; flaw?: Flaw }
  /** The receiver does not offer what the message needs; it was not asked. */
  | { by: 'extension'; phase: Phase; status: string; reason: string }
  /** TLS is missing, or not as the policy wants it: nothing was handed over. */
  | { by: 'policy'; phase: Phase; fault: TlsFault };

/** An extension that the receiver offers and does not do: without it, the same may go well (RFC 2920, RFC 3030). */
export type Flaw = 'PIPELINING' | 'CHUNKING';

/** What TLS lacks. */
export interface TlsFault {
  type: TlsFailureType;
  /** In words. */
  reason: string;
}

export function byReply(phase: Phase, reply: Reply): Verdict {
  return { by: 'reply', phase, reply };
}

/** Makes a value of a conversation's failure; whatever else was thrown is a bug and goes on its way. */
export function byConnection(phase: Phase, error: unknown): Verdict & { by: 'connection' } {
  if (error instanceof ConversationError) return { by: 'connection', phase, error };
  throw error;
}
