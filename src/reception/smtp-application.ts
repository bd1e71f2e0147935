/**
 * Answers an SMTP session's events: collects the transaction and asks the door that the client came through what to
 * think of it (inbound.ts: mail from outside; submission.ts: mail from our own). Here is what both have in common,
 * and the rule that an error of ours is a 451 for the client and loses nothing.
 */

import type { DialogueLine } from '../dossier/event.ts';
import type { Address } from '../mail/address.ts';
import type { Application, Peer, TlsInfo } from '../net/machine.ts';
import type { Directory, Recipient, Resolution } from '../queue/directory.ts';
import type { Quotas } from '../queue/quotas.ts';
import { type Claim, encodeChallenge } from '../sasl/exchange.ts';
import type { Parameters } from '../smtp/command.ts';
import { type MailRequests, readMailRequests } from '../smtp/mail-parameters.ts';
import { readRcptRequests } from '../smtp/rcpt-parameters.ts';
import { isPositive, type Reply, reply, replyText } from '../smtp/reply.ts';
import type { SmtpEvent } from '../smtp/session-options.ts';
import { authFailed } from '../smtp/session-replies.ts';
import { isDiskFull, StoreBrokenError, StoreFullError } from '../store/errors.ts';
import type { JobRequests } from '../store/job.ts';
import type { Log } from '../util/log.ts';
import { andThen, type MaybePromise } from '../util/maybe-promise.ts';
import type { Conduct } from './abuse/conduct.ts';
import { refuseFull } from './full-mailbox.ts';
import { refusePost } from './list-posts.ts';
import { type Login, suspendedText } from './login.ts';
import type { MessageCollector } from './message-collector.ts';
import { closedMailbox, endlessAddress, isAddress, readPath, unknownUser, withoutRoute } from './path.ts';
import { type Check, firstRefusal, refuseToReturn } from './recipient-checks.ts';
import { type ExpandedAlias, inherit } from './requests.ts';

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

export interface SmtpApplicationParts {
  door: Door;
  directory: Directory;
  /** Absent: every mailbox has room. */
  quotas?: Pick<Quotas, 'roomFor'>;
  /** Resolves when the client is to be greeted; absent: at once. */
  greeting?: (() => Promise<undefined>) | undefined;
  /** Absent where AUTH is not offered. */
  login?: Login;
  /** Absent where nothing is counted of the client. */
  conduct?: Conduct | undefined;
  nextQueueId(): string;
  log: Log;
}

/** A recipient who is there, as the client named them. */
interface Named {
  spelled: string;
  parameters: Parameters;
  found: readonly Recipient[];
  elsewhere: boolean;
}

/** Recipients in one transaction beyond one per RCPT: whom its aliases lead to. Any one alias fits. */
const maxBehindAliases = 10_000;

export class SmtpApplication implements Application<SmtpEvent, Reply | undefined> {
  readonly #parts: SmtpApplicationParts;
  readonly #session: Session;
  #transaction: Transaction | undefined;
  #message: IncomingMessage | undefined;
  /** The last message that was decided, and how much the client had said by then. */
  #answered: { message: IncomingMessage; commandsHeard: number } | undefined;
  /** A message that is all here is being decided, whether or not its client is still there. */
  #isFinishing = false;
  #isClosed = false;

  constructor(parts: SmtpApplicationParts, session: Session) {
    this.#parts = parts;
    this.#session = session;
  }

  handle(event: SmtpEvent): MaybePromise<Reply | undefined> {
    try {
      const answer = this.#decide(event);
      return answer instanceof Promise ? answer.catch((error) => this.#trouble(error)) : answer;
    } catch (error) {
      return this.#trouble(error);
    }
  }

  closed(): void {
    const { message, commandsHeard } = this.#answered ?? {};
    if (commandsHeard === this.#session.commandsHeard()) message?.answerMayBeLost?.();
    this.#reset();
    this.#isClosed = true;
    if (!this.#isFinishing) this.#parts.door.screen?.closed(this.#session);
  }

  #decide(event: SmtpEvent): MaybePromise<Reply | undefined> {
    switch (event.type) {
      case 'connect':
        return this.#parts.greeting?.();
      case 'tls':
        this.#reset();
        this.#session.tls = event.tls;
        this.#session.hello = undefined;
        this.#session.account = undefined;
        this.#session.appPassword = undefined;
        return undefined;
      case 'hello':
        this.#reset();
        this.#session.hello = event;
        return undefined;
      case 'authenticate':
        return this.#authenticate(event.claim);
      case 'mail':
        return this.#mail(event.path, event.parameters);
      case 'recipient':
        return this.#recipient(event.path, event.parameters);
      case 'data':
        return this.#openMessage();
      case 'chunk':
        return this.#chunk(event.bytes);
      case 'message':
        return this.#parts.door.screen
          ? this.#finishScreened(this.#parts.door.screen, event.fault)
          : this.#finish(event.fault);
      case 'reset':
        this.#reset();
        return undefined;
    }
  }

  async #authenticate(claim: Claim): Promise<Reply | undefined> {
    const outcome = await this.#parts.login?.(claim);
    switch (outcome?.kind) {
      case 'welcome':
        this.#session.account = outcome.account;
        this.#session.appPassword = outcome.appPassword;
        return reply(235, '2.7.0', `Welcome, ${outcome.account}`);
      case 'challenge':
        return reply(334, '', encodeChallenge(outcome.text));
      case 'suspended':
        return reply(535, '5.7.13', `${suspendedText}; ask your postmaster`);
      case 'malformed':
        return authFailed({ reason: 'malformed', text: outcome.text });
      case 'busy':
        return reply(
          454,
          '4.7.0',
          outcome.why ?? 'Too many logins at once from your address; try again later',
        );
      case 'wrong':
        return outcome.last
          ? reply(421, '4.7.0', outcome.why ?? 'Too many failed attempts; closing')
          : undefined;
      case undefined:
        return undefined;
    }
  }

  #mail(path: string, parameters: Parameters): MaybePromise<Reply | undefined> {
    const banned = this.#parts.conduct?.leave();
    if (banned !== undefined) return reply(421, '4.7.0', banned);
    const smtputf8 = parameters.has('SMTPUTF8');
    const sender = path === '' ? undefined : readPath(path, smtputf8);
    if (sender && !isAddress(sender)) return sender;
    const requests = readMailRequests(parameters);
    const size = parameters.get('SIZE');
    return andThen(this.#parts.door.checkSender(this.#session, sender), (refusal) => {
      if (refusal) return refusal;
      const transaction: Transaction = {
        queueId: this.#parts.nextQueueId(),
        reversePath: sender ? withoutRoute(path) : '',
        smtputf8,
        eightBit: parameters.get('BODY')?.toUpperCase() === '8BITMIME',
        forwardPaths: [],
        recipients: [],
        ...(requests && { requests }),
        ...(size !== undefined && { declaredBytes: Number(size) }),
      };
      const second = this.#parts.door.screen?.sender(this.#session, transaction, parameters);
      return andThen(second, (refused) => {
        if (!refused) this.#transaction = transaction;
        return refused;
      });
    });
  }

  #recipient(path: string, parameters: Parameters): MaybePromise<Reply | undefined> {
    const transaction = this.#transaction;
    if (!transaction) throw new Error('RCPT without a transaction');
    const address = readPath(path, transaction.smtputf8);
    if (!isAddress(address)) return address;
    const spelled = withoutRoute(path);
    return andThen(this.#parts.directory.resolve(address, spelled), (resolution) => {
      const added = this.#addRecipient(transaction, { address, spelled, parameters }, resolution);
      if (resolution.status === 'found' || resolution.status === 'endless') return added;
      return andThen(added, (refusal) => refusal && this.#answerStranger(refusal, transaction));
    });
  }

  /** Who asks for people that are not here, one after the other, hears of it later and later, and in the end no more. */
  #answerStranger(refusal: Reply, { reversePath }: Transaction): MaybePromise<Reply> {
    const { conduct } = this.#parts;
    if (conduct === undefined || this.#session.account !== undefined) return refusal;
    const found = conduct.badRecipient({ isReport: reversePath === '' });
    return found.then(({ leave }) => (leave ? reply(421, '4.7.0', leave) : refusal));
  }

  #addRecipient(
    transaction: Transaction,
    { address, spelled, parameters }: { address: Address; spelled: string; parameters: Parameters },
    resolution: Resolution,
  ): MaybePromise<Reply | undefined> {
    if (resolution.status === 'unknown') this.#parts.door.unknownRecipient?.(this.#session);
    if (resolution.status === 'unknown')
      return resolution.isClosed ? closedMailbox(spelled) : unknownUser(spelled);
    if (resolution.status === 'endless') return this.#tellEndless(spelled, resolution.why);
    const elsewhere = resolution.status === 'elsewhere';
    const refusal = elsewhere ? this.#parts.door.refuseElsewhere(this.#session, address) : undefined;
    if (refusal) return refusal;
    const found = elsewhere ? [resolution.recipient] : resolution.recipients;
    const { forwardPaths, recipients } = transaction;
    if (recipients.length + found.length > forwardPaths.length + maxBehindAliases)
      return tooManyBehindAliases;
    const checks = this.#checksOf(transaction, { spelled, parameters, found, elsewhere });
    return andThen(firstRefusal(checks), (refused) => {
      if (refused) return refused;
      const requests = readRcptRequests(parameters);
      forwardPaths.push(spelled);
      recipients.push(...(requests ? this.#asking(transaction, spelled, found, requests) : found));
      return undefined;
    });
  }

  #tellEndless(spelled: string, why: string): Reply {
    this.#parts.log.error({ recipient: spelled }, `mail is refused: this address ${why}`);
    return endlessAddress(spelled);
  }

  /** What the address itself takes first, then what its people want, then what programs of others say. */
  #checksOf(transaction: Transaction, { spelled, parameters, found, elsewhere }: Named): readonly Check[] {
    const { directory, quotas, door } = this.#parts;
    const { reversePath, declaredBytes: sizeBytes } = transaction;
    const session = this.#session;
    return [
      () => refuseToReturn(reversePath, found),
      () => refusePost(directory, { reversePath, spelled, found }),
      () => refuseFull(quotas, { spelled, found, sizeBytes }),
      () =>
        elsewhere ? undefined : door.refuseRecipient?.(session, transaction, { spelled, recipients: found }),
      () => door.screen?.recipient(session, transaction, { address: spelled, parameters, found }),
    ];
  }

  #asking(
    transaction: Transaction,
    spelled: string,
    found: readonly Recipient[],
    requests: JobRequests,
  ): readonly Recipient[] {
    const { recipients, expanded } = inherit(spelled, found, requests);
    if (expanded) transaction.expanded = [...(transaction.expanded ?? []), expanded];
    return recipients;
  }

  #openMessage(): undefined {
    if (!this.#transaction) throw new Error('DATA without a transaction');
    this.#message = this.#parts.door.openMessage(this.#session, this.#transaction);
    return undefined;
  }

  #chunk(bytes: Buffer): MaybePromise<undefined> {
    const message = this.#message;
    if (!message || message.fault) return undefined; // refused already: its end is awaited
    const failed = (error: unknown): undefined => {
      message.fault = this.#trouble(error); // told at the end of the message, since a chunk has no reply
    };
    try {
      return message.collector.add(bytes)?.then(() => undefined, failed);
    } catch (error) {
      return failed(error);
    }
  }

  async #finishScreened(screen: Screen, fault: Reply | undefined): Promise<Reply> {
    this.#isFinishing = true;
    try {
      return await this.#finish(fault);
    } finally {
      this.#isFinishing = false;
      if (this.#isClosed) screen.closed(this.#session);
    }
  }

  async #finish(fault: Reply | undefined): Promise<Reply> {
    const message = this.#message;
    if (!message) throw new Error('a message that was never opened');
    this.#message = undefined; // a client that leaves now takes nothing away from a message on its way into the queue
    message.collector.end();
    const refusal = fault ?? message.fault ?? headerFault(message);
    if (!refusal && message.answerMayBeLost)
      this.#answered = { message, commandsHeard: this.#session.commandsHeard() };
    const { answer, mayBeKept } = refusal
      ? { answer: refusal, mayBeKept: false }
      : await this.#accept(message);
    if (isPositive(answer)) this.#parts.conduct?.broughtMail();
    else {
      this.#logRefusal(answer);
      if (!mayBeKept) await message.collector.discard();
    }
    this.#transaction = undefined;
    return answer;
  }

  /** `mayBeKept`: the store broke, and whether it has the message is not known; a spool file must stay then. */
  async #accept(message: IncomingMessage): Promise<{ answer: Reply; mayBeKept: boolean }> {
    try {
      return { answer: await message.accept(), mayBeKept: false };
    } catch (error) {
      return { answer: this.#trouble(error), mayBeKept: error instanceof StoreBrokenError };
    }
  }

  #logRefusal(answer: Reply): void {
    const { queueId, reversePath } = this.#transaction ?? {};
    const client = this.#session.peer.address;
    this.#parts.log.info({ queueId, client, from: reversePath, reply: replyText(answer) }, 'message refused');
  }

  /** The client gets 4xx whatever went wrong here (requirement "not" 12): it keeps the message and comes again. */
  #trouble(error: unknown): Reply {
    const queueId = this.#transaction?.queueId;
    if (error instanceof StoreFullError || isDiskFull(error)) {
      this.#parts.log.error({ queueId }, 'the disk is full; mail is refused with 452');
      return reply(452, '4.3.1', 'Insufficient system storage; try again later');
    }
    this.#parts.log.error(
      { err: error, queueId, dialogue: this.#session.dialogue().lines },
      'internal error',
    );
    return reply(451, '4.3.0', 'Internal error; try again later');
  }

  /** Ends the open transaction, if there is one. */
  #reset(): void {
    const message = this.#message;
    this.#message = undefined;
    this.#transaction = undefined;
    message?.collector
      .discard()
      .catch((error) =>
        this.#parts.log.error({ err: error }, 'cannot remove a spool file; it is swept at the next start'),
      );
  }
}

const headerFault = ({ collector }: IncomingMessage): Reply | undefined =>
  collector.headerTooLong ? reply(552, '5.3.4', 'Header section too large; shorten it') : undefined;

const tooManyBehindAliases = reply(
  452,
  '4.5.3',
  'Too many recipients, with those behind aliases; send them the message in another transaction',
);
