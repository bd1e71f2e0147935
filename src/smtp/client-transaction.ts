/**
 * One mail transaction (RFC 5321 §3.3): MAIL, a RCPT for each recipient, DATA, the message, and the reply to its final
 * dot, which alone says that it was taken. Commands go out together where PIPELINING is offered (RFC 2920).
 * Every recipient gets a verdict of its own; nothing is thrown but bugs.
 */

import { chunkBytes, readContent, sendChunked, sendDotted, unreadable } from './client-content.ts';
import { findUnmet, mailCommand, rcptCommand, takesEightBit, type Unmet } from './client-extensions.ts';
import type { Session } from './client-session.ts';
import { type ClientTimeouts, defaultTimeouts } from './client-timeouts.ts';
import { byConnection, byReply, type Flaw, type Phase, type Verdict } from './client-verdict.ts';
import { ConversationError, refuseEarly } from './conversation.ts';
import type { RcptRequests } from './rcpt-parameters.ts';
import { isPositive, type Reply, replyText } from './reply.ts';
import type { Transaction } from './transaction.ts';

/** RFC 5321 §4.5.3.1.8: every server takes that many; for more, the caller makes several transactions. */
export const recipientsPerTransaction = 100;

/** A recipient is undecided as long as it has no verdict. */
interface Recipient {
  readonly address: string;
  readonly requests: RcptRequests | undefined;
  verdict: Verdict | undefined;
}

const replyClass = ({ code }: Reply): number => Math.floor(code / 100);

/** Sends a message to recipients; resolves to their verdicts, in the order of the recipients. */
export async function sendTransaction(
  session: Session,
  transaction: Transaction,
  timeouts: ClientTimeouts = defaultTimeouts,
): Promise<Verdict[]> {
  const content = () => readContent(transaction);
  const exchange = new Exchange(session, { ...transaction, content }, timeouts);
  try {
    await exchange.compare();
    await exchange.run();
  } catch (error) {
    session.conversation.close();
    exchange.settle(exchange.failure(error));
  }
  return exchange.verdicts();
}

class Exchange {
  phase: Phase = 'comparing the message with what the receiver offers';
  readonly #session: Session;
  #transaction: Transaction;
  readonly #timeouts: ClientTimeouts;
  readonly #recipients: readonly Recipient[];
  readonly #pipelining: boolean;
  #chunked = false;

  constructor(session: Session, transaction: Transaction, timeouts: ClientTimeouts) {
    this.#session = session;
    this.#transaction = transaction;
    this.#timeouts = timeouts;
    const { recipients, recipientRequests } = transaction;
    this.#recipients = recipients.map((address, index) => ({
      address,
      requests: recipientRequests?.[index],
      verdict: undefined,
    }));
    this.#pipelining = session.extensions.has('PIPELINING');
  }

  verdicts(): Verdict[] {
    return this.#recipients.map(({ address, verdict }) => {
      if (verdict === undefined) throw new Error(`No verdict for ${address}`);
      return verdict;
    });
  }

  /** Gives the verdict to all who have none. */
  settle(verdict: Verdict): void {
    for (const recipient of this.#undecided()) recipient.verdict = verdict;
  }

  /** What an error means for those who have no verdict. */
  failure(error: unknown): Verdict {
    const verdict = byConnection(this.phase, error);
    const flaw = this.#flawShownBy(verdict);
    return flaw === undefined ? verdict : { ...verdict, flaw };
  }

  /** Decides what needs no question, from the receiver's extensions. */
  async compare(): Promise<void> {
    const { extensions } = this.#session;
    for (const unmet of await findUnmet(extensions, this.#transaction)) this.#refuse(unmet);
    if (!takesEightBit(extensions, this.#transaction)) await this.#toSevenBit();
    this.#chunked = extensions.has('CHUNKING') && this.#transaction.sizeBytes > chunkBytes;
  }

  #refuse({ status, reason, applies }: Unmet): void {
    for (const recipient of this.#recipients) {
      if (!applies(recipient.address)) continue;
      recipient.verdict ??= { by: 'extension', phase: this.phase, status, reason };
    }
  }

  /** RFC 6152 §3: what is not 7-bit is converted, or not sent. */
  async #toSevenBit(): Promise<void> {
    const { inSevenBit } = this.#transaction;
    if (inSevenBit === undefined || this.#undecided().length === 0) return;
    const copy = await inSevenBit().catch((cause) => Promise.reject(unreadable(cause)));
    if (copy === undefined) return;
    if ('reason' in copy) this.#refuse({ status: '5.6.3', reason: copy.reason, applies: () => true });
    else this.#transaction = { ...this.#transaction, ...copy };
  }

  /**
   * What the receiver offers and does not do: it lost commands that came together, or answered others; or does not know
   * BDAT. Nothing of the message has been handed over then.
   */
  #flawShownBy(verdict: Verdict): Flaw | undefined {
    if (verdict.by !== 'connection') return undefined;
    const { kind } = verdict.error;
    if (this.#chunked && this.phase === 'sending the message')
      return kind === 'protocol' ? 'CHUNKING' : undefined;
    const asking = this.phase === 'sending RCPT TO' || this.phase === 'sending DATA';
    const isLost = asking && (kind === 'timeout' || kind === 'protocol');
    return this.#pipelining && isLost ? 'PIPELINING' : undefined;
  }

  async run(): Promise<void> {
    const addressed = this.#undecided();
    if (addressed.length === 0) return;
    const mail = mailCommand(this.#session.extensions, this.#transaction);
    if (this.#pipelining) {
      if (!this.#session.conversation.quiet) await refuseEarly(this.#session.conversation);
      this.#sendTogether(mail, addressed);
    }
    await this.#reset();
    const { mailMs, dataMs } = this.#timeouts;
    const mailReply = await this.#ask('sending MAIL FROM', mail, mailMs);
    if (!isPositive(mailReply)) this.settle(byReply(this.phase, mailReply));
    await this.#askRecipients(addressed, isPositive(mailReply));
    const nobody = this.#undecided().length === 0;
    if (nobody && (this.#chunked || !this.#pipelining)) return;
    if (!this.#chunked) {
      const data = await this.#ask('sending DATA', 'DATA', dataMs, 3);
      if (!nobody) this.#checkStep(data);
      if (!isPositive(data)) return this.settle(byReply(this.phase, data));
    }
    await (this.#undecided().length === 0 ? this.#sendNothing() : this.#sendMessage());
    this.#session.needsReset = false;
  }

  #undecided(): Recipient[] {
    return this.#recipients.filter(({ verdict }) => verdict === undefined);
  }

  #rcptCommand({ address, requests }: Recipient): string {
    return rcptCommand(this.#session.extensions, this.#transaction, address, requests);
  }

  #sendTogether(mail: string, addressed: readonly Recipient[]): void {
    const commands = [mail, ...addressed.map((recipient) => this.#rcptCommand(recipient))];
    if (!this.#chunked) commands.push('DATA');
    if (this.#session.needsReset) commands.unshift('RSET');
    this.#session.conversation.send(commands);
  }

  /** Ends a transaction that was left open, so that its recipients do not get this message too. */
  async #reset(): Promise<void> {
    if (this.#session.needsReset) {
      const answer = await this.#ask('sending RSET', 'RSET', this.#timeouts.helloMs);
      if (!isPositive(answer))
        throw new ConversationError('protocol', `RSET was refused: ${replyText(answer)}`);
    }
    this.#session.needsReset = true;
  }

  /** With PIPELINING all have been asked already, so all replies are read, also after MAIL was refused. */
  async #askRecipients(addressed: readonly Recipient[], inTransaction: boolean): Promise<void> {
    for (const recipient of addressed) {
      if (!this.#pipelining && recipient.verdict !== undefined) continue;
      const answer = await this.#ask('sending RCPT TO', this.#rcptCommand(recipient), this.#timeouts.rcptMs);
      if (inTransaction) this.#checkStep(answer);
      if (!isPositive(answer)) recipient.verdict ??= byReply(this.phase, answer);
    }
  }

  /** Bad sequence, of commands in their order: some of those that came together were lost. */
  #checkStep(answer: Reply): void {
    if (this.#pipelining && answer.code === 503) throw outOfStep('PIPELINING', answer);
  }

  /** Sends a command, unless it went out with the others, and reads its reply. */
  async #ask(phase: Phase, command: string, timeoutMs: number, positiveClass: 2 | 3 = 2): Promise<Reply> {
    this.phase = phase;
    const { conversation } = this.#session;
    if (!this.#pipelining) {
      if (!conversation.quiet) await refuseEarly(conversation);
      conversation.send([command]);
    }
    return this.#readReply(timeoutMs, positiveClass);
  }

  /**
   * A `421` ends the conversation whatever it answers; a positive reply of the wrong kind means that we are out of
   * step.
   */
  async #readReply(timeoutMs: number, positiveClass: 2 | 3): Promise<Reply> {
    const reply = await this.#session.conversation.reply(timeoutMs);
    if (reply.code === 421) throw new ConversationError('closing', replyText(reply), { reply });
    if (isPositive(reply) && replyClass(reply) !== positiveClass)
      throw new ConversationError('protocol', `unexpected reply while ${this.phase}: ${replyText(reply)}`);
    return reply;
  }

  /** One reply for all; over LMTP one for each whose RCPT was taken, in their order (RFC 2033 §4.2). */
  async #readOutcome(): Promise<void> {
    const { endOfDataMs } = this.#timeouts;
    if (this.#session.protocol !== 'lmtp')
      return this.settle(byReply(this.phase, await this.#readReply(endOfDataMs, 2)));
    for (const recipient of this.#undecided())
      recipient.verdict = byReply(this.phase, await this.#readReply(endOfDataMs, 2));
  }

  /** DATA was let through although nobody is to get the message: a lone dot ends it (RFC 2920 §3.1). */
  async #sendNothing(): Promise<void> {
    this.phase = 'sending end of data';
    // An LMTP server should have refused DATA (RFC 2033 §4.2): how many replies it will have nobody knows.
    if (this.#session.protocol === 'lmtp') return this.#session.conversation.close();
    this.#session.conversation.send(['.']);
    await this.#readReply(this.#timeouts.endOfDataMs, 2);
  }

  async #sendMessage(): Promise<void> {
    const { conversation } = this.#session;
    const { contentMs } = this.#timeouts;
    this.phase = 'sending the message';
    const parts = {
      conversation,
      transaction: this.#transaction,
      contentMs,
      onLast: () => {
        // An answer to the message before its end is none, unless it refuses it.
        if (!conversation.quiet)
          throw new ConversationError('closed', 'answered before the end of the message');
        this.phase = 'sending end of data';
      },
    };
    try {
      await (this.#chunked
        ? sendChunked({ ...parts, answered: () => this.#chunkAnswered() })
        : sendDotted(parts));
    } catch (error) {
      this.settle(byReply(this.phase, await this.#lastWords(error)));
      throw error;
    }
    await this.#readOutcome();
  }

  /** A chunk that is refused ends the message, and the connection: what the receiver has of it must not be gone on with. */
  async #chunkAnswered(): Promise<void> {
    const answer = await this.#readReply(this.#timeouts.endOfDataMs, 2);
    if (isPositive(answer)) return;
    if (isNotUnderstood(answer)) throw outOfStep('BDAT', answer);
    this.settle(byReply(this.phase, answer));
    throw new ConversationError('aborted', `a chunk was refused: ${replyText(answer)}`);
  }

  /** A receiver that hangs up in the middle of the message may have said why; if not, there is only the error. */
  async #lastWords(error: unknown): Promise<Reply> {
    const { conversation } = this.#session;
    if (!(error instanceof ConversationError) || error.kind !== 'closed') throw error;
    const words = await conversation.reply(0);
    if (isPositive(words)) throw error;
    return words;
  }
}

/** The commands that a receiver offers and does not know (RFC 5321 §4.2.4). */
const isNotUnderstood = ({ code }: Reply): boolean => code === 500 || code === 502 || code === 503;

const outOfStep = (what: string, answer: Reply): ConversationError =>
  new ConversationError('protocol', `${what} is offered, but out of step: ${replyText(answer)}`);
