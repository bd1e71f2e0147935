/**
 * Who may write to a mailing list, of mail that a server in front has let in: from where it came only that one knows, so that a
 * reverse-path proves nothing here, nor does SPF. What does is a signature for the author's domain, which DMARC finds aligned.
 */

import { checkSender } from '../authentication/check.ts';
import type { Verdicts } from '../authentication/verdicts.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import type { Content } from '../store/store.ts';
import type { AcceptedParts } from './accepted.ts';
import { asItCame } from './inbound/examine.ts';
import type { InboundParts } from './inbound/received.ts';
import { isForClosedList, refuseUnproven } from './list-posts.ts';
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
): Promise<{ rule: string; reply: Reply } | undefined> {
  const { recipients, reversePath } = transaction;
  if (!isForClosedList(recipients)) return undefined;
  const message = asItCame(collector, content);
  const { resolver, clock } = parts;
  const verdicts = await checkSender(
    { resolver, clock },
    { clientAddress: nobody, helo: '', reversePath, message },
  );
  const refusal = refuseUnproven(recipients, reversePath, verdicts);
  if (refusal === undefined || !isOpen(verdicts)) return refusal;
  return (await parts.judging.mayDefer(transaction, collector)) ? later : refusal;
}

/** The client is the server in front: no record is about it. */
const nobody = '';

const isOpen = ({ dkim, dmarc }: Verdicts): boolean =>
  [...dkim, dmarc].some(({ result }) => result === 'temperror');

const later = {
  rule: 'not everybody may write to this list, and whether its sender signed it cannot be looked up now',
  reply: reply(451, '4.4.3', 'Cannot look up now who signed this, for a list of ours; try again later'),
};
