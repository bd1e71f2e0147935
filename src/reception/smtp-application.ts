/**
 * Answers an SMTP session's events: collects the transaction and asks the door that the client came through what to
 * think of it (inbound.ts: mail from outside; submission.ts: mail from our own). Here is what both have in common,
 * and the rule that an error of ours is a 451 for the client and loses nothing.
 */

import type { Application } from '../net/machine.ts';
import type { Claim } from '../sasl/exchange.ts';
import type { Parameters } from '../smtp/command.ts';
import { readMailRequests } from '../smtp/mail-parameters.ts';
import { isPositive, type Reply, reply, replyText } from '../smtp/reply.ts';
import type { SmtpEvent } from '../smtp/session-options.ts';
import { isDiskFull, StoreBrokenError, StoreFullError } from '../store/errors.ts';
import { andThen, type MaybePromise } from '../util/maybe-promise.ts';
import type { IncomingMessage, Screen, Session, Transaction } from './door.ts';
import type { Login } from './login.ts';
import { loginAnswer } from './login-answer.ts';
import { isAddress, readPath, withoutRoute } from './path.ts';
import { Recipients, type RecipientsParts } from './recipients.ts';

export interface SmtpApplicationParts extends RecipientsParts {
  /** Resolves when the client is to be greeted; absent: at once. */
  greeting?: (() => Promise<undefined>) | undefined;
  /** Absent where AUTH is not offered. */
  login?: Login;
  nextQueueId(): string;
}

export class SmtpApplication implements Application<SmtpEvent, Reply | undefined> {
  readonly #parts: SmtpApplicationParts;
  readonly #session: Session;
  readonly #recipients: Recipients;
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
    this.#recipients = new Recipients(parts, session);
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
    if (outcome?.kind === 'welcome') {
      this.#session.account = outcome.account;
      this.#session.appPassword = outcome.appPassword;
    }
    return outcome && loginAnswer(outcome);
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
    if (!this.#transaction) throw new Error('RCPT without a transaction');
    return this.#recipients.add(this.#transaction, path, parameters);
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
