/** What became of a message, told to those who learn from it, so that the next one is known better. */

import type { Recipient } from '../queue/directory.ts';
import type { AboutClient } from './checks/fact-source.ts';
import type { Session } from './door.ts';
import type { Judgment } from './judgment.ts';

export interface Settled extends AboutClient {
  /** Of the recipients at which it stood, in the order of the rulings where the message was there. */
  recipients: readonly Recipient[];
  judgment: Judgment;
  /** Whether all of the message was there, or one recipient was turned away at RCPT. */
  stage: 'rcpt' | 'message';
}

export interface Learner {
  /** The answer has been decided, and what was taken is durable. Must not throw, and takes no time. */
  settled(outcome: Settled): void;
  /** A stranger has asked for somebody who is not here. */
  unknownRecipient?(session: Session): void;
}
