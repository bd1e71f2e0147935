/**
 * Where facts come from. A source finds some of them, each at the earliest moment at which it can; it is asked only where a
 * policy in use has a condition that needs one of them. It finds out, and never decides.
 */

import type { Header } from '../../mail/header.ts';
import type { FactName, Facts, RecipientFacts } from '../../policy/facts.ts';
import type { Recipient } from '../../queue/directory.ts';
import type { Content } from '../../store/message.ts';
import type { MaybePromise } from '../../util/maybe-promise.ts';
import type { Session, Transaction } from '../door.ts';
import type { MessageCollector } from '../message-collector.ts';

/** Before the message is here. */
export interface AboutClient {
  session: Session;
  transaction: Transaction;
}

export interface AboutRecipient extends AboutClient {
  recipient: Recipient;
  /** What was found of the client. */
  facts: Facts;
}

export interface AboutMessage extends AboutClient {
  header: Header;
  collector: MessageCollector;
  content: Content;
  /** What was found before. */
  facts: Facts;
}

export interface FactSource {
  finds: readonly FactName[];
  /** The message brings it in any case: asked only where a policy may refuse a recipient by it before. */
  onlyEarly?: true;
  /** What is known as soon as there is a client and a sender; asked once for a transaction. */
  ofClient?(about: AboutClient): MaybePromise<Partial<Facts>>;
  ofRecipient?(about: AboutRecipient): MaybePromise<Partial<RecipientFacts>>;
  ofMessage?(about: AboutMessage): MaybePromise<Partial<Facts>>;
  /** Ends what it has started. */
  stop?(): Promise<void>;
}
