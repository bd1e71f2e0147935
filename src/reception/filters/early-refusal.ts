/** A sender or a recipient that a milter turns away before there is a message: the answer, and what its dossier has of it. */

import type { DossierEvent } from '../../dossier/event.ts';
import { consequenceOf, unavailable } from '../../filter/decide.ts';
import type { MilterFact } from '../../filter/fact.ts';
import { factWords } from '../../filter/words.ts';
import { type Reply, replyText } from '../../smtp/reply.ts';
import { clientFacts } from '../accepted.ts';
import type { Session, Transaction } from '../door.ts';
import { type EarlyAnswer, isRefusal } from './milter-link.ts';

export interface EarlyRefusal {
  reply: Reply;
  /** In words. */
  rule: string;
}

/** Undefined where it may go on. */
export function refusalIn(name: string, early: EarlyAnswer): EarlyRefusal | undefined {
  if (early === undefined) return undefined;
  if ('unknown' in early) {
    if (early.unknown.whenDown === 'accept') return undefined;
    return { reply: unavailable(name), rule: factWords(early.unknown) };
  }
  if (!isRefusal(early.decided)) return undefined;
  const fact: MilterFact = { name, kind: 'milter', durationMs: 0, ...early.decided };
  const { reply } = consequenceOf(fact);
  return reply && { reply, rule: factWords(fact) };
}

export interface Refused {
  session: Session;
  transaction: Transaction;
  /** Absent: it was the sender. */
  recipient?: string | undefined;
  at: number;
}

export function refusedEvent(
  { session, transaction, recipient, at }: Refused,
  { reply, rule }: EarlyRefusal,
): DossierEvent {
  const data = {
    from: transaction.reversePath,
    to: recipient === undefined ? [] : [recipient],
    client: clientFacts(session),
    reply: replyText(reply),
    rule,
    dialogue: session.dialogue(reply).lines,
  };
  return { at, queueId: transaction.queueId, event: 'refused', data };
}
