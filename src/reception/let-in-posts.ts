/**
 * Who may write to a mailing list, of mail that a server in front has let in: from where it came only that one knows, so that a
 * reverse-path proves nothing here, nor does SPF. What does is a signature for the author's domain, which DMARC finds aligned.
 */

import { checkSender } from '../authentication/check.ts';
import type { Content } from '../store/message.ts';
import type { AcceptedParts } from './accepted.ts';
import { asItCame } from './inbound/examine.ts';
import type { InboundParts } from './inbound/received.ts';
import { isForClosedList, type ListRefusal, refuseUnproven } from './list-posts.ts';
import type { MessageCollector } from './message-collector.ts';

export type LetInParts = Pick<InboundParts, 'resolver' | 'clock' | 'judging'>;

export interface LetInMessage extends Pick<AcceptedParts, 'transaction'> {
  collector: MessageCollector;
  content: Content;
}

/** Nothing is looked up but for a list that is not open to anybody. */
export async function refuseLetIn(
  parts: LetInParts,
  { transaction, collector, content }: LetInMessage,
): Promise<ListRefusal | undefined> {
  const { recipients, reversePath } = transaction;
  if (!isForClosedList(recipients)) return undefined;
  const message = asItCame(collector, content);
  const { resolver, clock } = parts;
  const verdicts = await checkSender(
    { resolver, clock },
    { clientAddress: nobody, helo: '', reversePath, message },
  );
  return refuseUnproven(parts.judging, { transaction, collector, verdicts });
}

/** The client is the server in front: no record is about it. */
const nobody = '';
