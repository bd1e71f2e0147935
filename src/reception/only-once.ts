/**
 * A message that repeats one whose `250` may have been lost gets that answer once more, and is not accepted again.
 */

import type { Hash } from 'node:crypto';
import { isPositive, type Reply } from '../smtp/reply.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import { clientFacts, queuedAs } from './accepted.ts';
import type { IncomingMessage, Session, Transaction } from './door.ts';
import type { MessageCollector } from './message-collector.ts';
import { type Repeats, repeatKey } from './repeats.ts';

export interface OnceParts {
  clock: Clock;
  /** Messages whose `250` may have been lost. Default: none is remembered. */
  lostAnswers?: { repeats: Repeats; store: Pick<Store, 'appendEvents'> } | undefined;
}

interface Repeatable {
  session: Session;
  transaction: Transaction;
  collector: MessageCollector;
  /** Has seen all that the client sent. */
  octets: Hash;
  accept(): Promise<Reply>;
}

/** Accepts a message, unless it repeats one whose `250` may have been lost: then it gives that answer again. */
export function onlyOnce(
  { lostAnswers, clock }: OnceParts,
  { session, transaction, collector, octets, accept }: Repeatable,
): Pick<IncomingMessage, 'accept' | 'answerMayBeLost'> {
  let key: string | undefined;
  const keyOf = () => {
    const { reversePath, forwardPaths, recipients, smtputf8, requests } = transaction;
    const asked = recipients.map((recipient) => recipient.requests);
    const envelope = [session.account, reversePath, forwardPaths, smtputf8, requests, asked];
    key ??= repeatKey(envelope, octets.digest());
    return key;
  };
  let accepted: Promise<string | undefined> = Promise.resolve(undefined);
  /** What this message repeats. */
  let first: string | undefined;
  const decide = async (): Promise<{ answer: Reply; queueId?: string }> => {
    const isPossible = lostAnswers?.repeats.isEmpty === false;
    first = isPossible ? await lostAnswers.repeats.take(keyOf()) : undefined;
    if (first === undefined) {
      const answer = await accept();
      return isPositive(answer) ? { answer, queueId: transaction.queueId } : { answer };
    }
    await collector.discard();
    const client = clientFacts(session);
    const event = { at: clock.now(), queueId: first, event: 'repeated', data: { client } };
    try {
      await lostAnswers?.store.appendEvents([event]);
    } catch (error) {
      lostAnswers?.repeats.remember(keyOf(), Promise.resolve(first)); // the client is told to come again
      throw error;
    }
    return { answer: queuedAs(first), queueId: first };
  };
  return {
    async accept() {
      const decided = decide();
      accepted = decided.then(
        ({ queueId }) => queueId,
        () => first, // its client hears of that, and comes again
      );
      return (await decided).answer;
    },
    answerMayBeLost: () => lostAnswers?.repeats.remember(keyOf(), accepted),
  };
}
