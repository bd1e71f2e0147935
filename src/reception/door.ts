/**
 * What a way in for mail is made of: its policy (inbound.ts, submission.ts, lmtp.ts), what is known of the client, and the
 * transaction that it has begun.
 */

import type { DialogueLine } from '../dossier/event.ts';
import type { Address } from '../mail/address.ts';
import type { Peer, TlsInfo } from '../net/machine.ts';
import type { Recipient } from '../queue/directory.ts';
import type { Parameters } from '../smtp/command.ts';
import type { MailRequests } from '../smtp/mail-parameters.ts';
import type { Reply } from '../smtp/reply.ts';
import type { MaybePromise } from '../util/maybe-promise.ts';
import type { MessageCollector } from './message-collector.ts';
import type { ExpandedAlias } from './requests.ts';

/** What is known of the client. */
export interface Session {
  readonly via: 'smtp' | 'submission' | 'control' | 'lmtp';
  readonly peer: Peer;
  /** The client's address lies in a trusted network. */
  readonly trusted: boolean;
  /** Before our greeting, which was delayed to see that; undefined: it was not. */
  talkedEarly?: boolean;
  tls: TlsInfo | undefined;
  hello: { verb: 'HELO' | 'EHLO'; name: string } | undefined;
  /** The account that has authenticated. */
  account: string | undefined;
  /** By which of its app passwords; absent: it was another way. */
  appPassword?: string | undefined;
  /** Command lines of the client's so far. */
  commandsHeard(): number;
  /** The opening and the current transaction, as said so far, and the answer that is about to be given. */
  dialogue(answer?: Reply): { at: number; lines: DialogueLine[] };
}

/** One mail transaction (RFC 5321 §3.3). */
export interface Transaction {
  readonly queueId: string;
  /** `user@domain`, or '' for the null sender. */
  readonly reversePath: string;
  readonly smtputf8: boolean;
  readonly eightBit: boolean;
  /** What the client says of the message's length (RFC 1870 §6.1). */
  readonly declaredBytes?: number;
  /** As the client named them, in order. */
  readonly forwardPaths: string[];
  /** What they resolved to. */
  readonly recipients: Recipient[];
  /** What the sender asks for beyond delivery; absent for nearly all mail. */
  readonly requests?: MailRequests;
  /** Aliases whose expansion is to be reported. */
  expanded?: ExpandedAlias[];
}

/** A message whose data is coming in. */
export interface IncomingMessage {
  collector: MessageCollector;
  /** A fault seen while the data streams by; the message is refused with it at its end. */
  fault?: Reply | undefined;
  /** All is there: decides, and makes it durable before it answers. */
  accept(): Promise<Reply>;
  /**
   * The connection ended before the client said another word: it may not have heard the answer. Called after `accept` was,
   * be it before that has resolved.
   */
  answerMayBeLost?(): void;
}

/** A way in, with its policy. */
export interface Door {
  /** Refuses a sender, or lets it pass. */
  checkSender(session: Session, sender: Address | undefined): MaybePromise<Reply | undefined>;
  /** Refuses a recipient who is not ours: the rule that keeps this from being an open relay, and who is not there at all. */
  refuseElsewhere(session: Session, recipient: Address): Reply | undefined;
  /** Refuses a recipient of ours whose policy lets nobody like this client in. Absent: nobody is refused so. */
  refuseRecipient?(
    session: Session,
    transaction: Transaction,
    found: { spelled: string; recipients: readonly Recipient[] },
  ): MaybePromise<Reply | undefined>;
  /** Told of a recipient that is refused, as nobody here has that address. */
  unknownRecipient?(session: Session): void;
  openMessage(session: Session, transaction: Transaction): IncomingMessage;
  /** Who else has a say when the door has let somebody pass, and hears of the end. Absent where nobody has. */
  screen?: Screen | undefined;
}

export interface Screen {
  sender(session: Session, transaction: Transaction, parameters: Parameters): MaybePromise<Reply | undefined>;
  recipient(
    session: Session,
    transaction: Transaction,
    recipient: ScreenedRecipient,
  ): MaybePromise<Reply | undefined>;
  /** The client has gone, and its last message is decided. */
  closed(session: Session): void;
}

export interface ScreenedRecipient {
  /** As the client has it. */
  address: string;
  parameters: Parameters;
  /** Who that is. */
  found: readonly Recipient[];
}
