/**
 * The answering side of POP3 (RFC 1939) without I/O: a pull machine over bytes. Keeps the order of commands, responses
 * and states; syntax is in command.ts, the states' commands in authorization.ts and transaction.ts. Whose mailbox it
 * is and what lies in it are events for the application. Message contents pass through piece by piece.
 * Extensions: RFC 2449 CAPA, RESP-CODES, PIPELINING; RFC 2595 STLS; RFC 3206 AUTH-RESP-CODE; RFC 5034 AUTH.
 */

import type { Machine, TlsInfo } from '../net/machine.ts';
import { offeredOver } from '../sasl/mechanisms.ts';
import { LineReader } from '../util/line-reader.ts';
import { Authorization } from './authorization.ts';
import { capabilities, type SessionTerms } from './capabilities.ts';
import { type Command, parseCommand } from './command.ts';
import { DotStuffer } from './dot-stuffing.ts';
import type { Pop3Answer, Pop3Event } from './event.ts';
import { Maildrop } from './maildrop.ts';
import { fault, multiLine, negative, positive, type Step } from './response.ts';
import {
  maxCommandLineBytes,
  maxFaults,
  maxPendingBytes,
  maxSaslLineBytes,
  maxSkippedBytes,
  type Pop3SessionOptions,
} from './session-options.ts';
import { summary, transact } from './transaction.ts';

/** What comes next: `listing` and `content` are the middle of a multi-line response. */
type Mode = 'connect' | 'command' | 'listing' | 'content' | 'ended';

export class Pop3Session implements Machine<Pop3Event, Pop3Answer> {
  tlsWanted = false;
  readonly #options: Pop3SessionOptions;
  readonly #input = new LineReader(maxSkippedBytes);
  #output: Buffer[] = [];
  #pendingBytes = 0;
  #mode: Mode = 'connect';
  #asked: Pop3Event | undefined;
  #tls: TlsInfo | undefined;
  #authorization: Authorization;
  /** There is one in the TRANSACTION state only. */
  #maildrop: Maildrop | undefined;
  #listing: Iterator<string> | undefined;
  #stuffer = new DotStuffer();
  #faults = 0;

  constructor(options: Pop3SessionOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#authorization = new Authorization(this.#terms);
  }

  /** What goes out can be fetched again. */
  readonly midway = false;

  /** Commands that were wrong or out of place. */
  get faults(): number {
    return this.#faults;
  }

  get ended(): boolean {
    return this.#mode === 'ended';
  }

  receive(bytes: Buffer): void {
    // After STLS, until the handshake, the client has nothing to say that we could believe (RFC 2595 §4).
    if (!this.ended && !this.tlsWanted) this.#input.push(bytes);
  }

  output(): Buffer | undefined {
    if (this.#output.length === 0) return undefined;
    const bytes = Buffer.concat(this.#output);
    this.#output = [];
    this.#pendingBytes = 0;
    return bytes;
  }

  tlsStarted(tls: TlsInfo): void {
    this.#input.clear();
    this.tlsWanted = false;
    this.#tls = tls;
    this.#authorization = new Authorization(this.#terms);
  }

  /**
   * A session that is idle for too long ends without a word, as RFC 1939 §3 wants it. Otherwise a last word is said
   * where the client would take it for what it is: not amid a message, nor while a command waits for its response.
   */
  end(why: 'idle' | 'time' | 'shutdown' | 'revoked'): void {
    const between = this.#mode === 'command' && this.#asked === undefined && !this.tlsWanted;
    if (between && why === 'time')
      this.#say(negative('This session took too long; connect again', 'SYS/TEMP'));
    if (between && why === 'shutdown') this.#say(negative('The server stops; try again later', 'SYS/TEMP'));
    if (between && why === 'revoked')
      this.#say(negative('What you logged in with is good no more; log in again', 'AUTH'));
    this.#mode = 'ended';
  }

  next(): Pop3Event | undefined {
    if (this.#asked !== undefined) return undefined;
    while (!this.ended && !this.tlsWanted) {
      const step = this.#step();
      if (step === 'starved') return undefined;
      if (step === 'again') continue;
      this.#asked = step;
      return step;
    }
    return undefined;
  }

  reply(answer: Pop3Answer): void {
    if (this.ended) return; // end() was quicker
    const event = this.#asked;
    if (event === undefined) throw new Error('Pop3Session.reply() without an event');
    this.#asked = undefined;
    if (answer.kind === 'refused' && event.type !== 'drain') this.#refuse(event, answer);
    else this.#accept(event, answer);
  }

  /** One step: an event, or something said already (`again`), or too few octets (`starved`). */
  #step(): Pop3Event | 'again' | 'starved' {
    if (this.#pendingBytes > maxPendingBytes) return { type: 'drain' };
    switch (this.#mode) {
      case 'connect':
        return { type: 'connect' };
      case 'command':
        return this.#readLine();
      case 'listing':
        return this.#continueListing();
      case 'content':
        return { type: 'more' };
      case 'ended':
        return 'starved';
    }
  }

  get #terms(): SessionTerms {
    const { startTls, allowPlaintextAuth, mechanisms } = this.#options;
    const encrypted = this.#tls !== undefined;
    const binding = this.#tls?.binding;
    return {
      passwordsAllowed: encrypted || allowPlaintextAuth,
      tlsAvailable: startTls && !encrypted && this.#maildrop === undefined,
      ...offeredOver(mechanisms, binding),
    };
  }

  // Commands

  #readLine(): Pop3Event | 'again' | 'starved' {
    const { exchanging } = this.#authorization;
    const limit = exchanging ? maxSaslLineBytes : maxCommandLineBytes;
    const line = this.#input.line(limit);
    if (line === undefined) return 'starved';
    if (line === 'endless') return this.#bye(negative('This line has no end'));
    if (line === 'tooLong') {
      this.#authorization.abandonExchange();
      return this.#take(fault(`Line too long; the limit is ${limit} octets`));
    }
    return this.#take(
      exchanging ? this.#authorization.respond(line.toString('latin1')) : this.#obey(parseCommand(line)),
    );
  }

  #obey(command: Command): Step {
    switch (command.keyword) {
      case 'invalid':
        return fault(command.text);
      case 'CAPA':
        return multiLine('What can be done here', capabilities(this.#terms));
      case 'QUIT':
        return this.#maildrop === undefined
          ? { kind: 'quit' }
          : { kind: 'ask', event: { type: 'commit', deleted: this.#maildrop.marked() } };
      default:
        return this.#maildrop === undefined
          ? this.#authorization.step(command)
          : transact(command, this.#maildrop);
    }
  }

  #take(step: Step): Pop3Event | 'again' {
    switch (step.kind) {
      case 'ask':
        return step.event;
      case 'response':
        this.#startListing(step.lines);
        return this.#say(step.line);
      case 'fault':
        return ++this.#faults > maxFaults
          ? this.#bye(negative('Too many bad commands'))
          : this.#say(step.line);
      case 'startTls':
        this.tlsWanted = true;
        return this.#say(positive('Begin TLS now'));
      case 'quit':
        return this.#bye(positive('Bye'));
    }
  }

  // Answers

  #refuse(event: Pop3Event, { text, code, close = false }: Pop3Answer & { kind: 'refused' }): void {
    // Amid a message there is nothing to say; a broken connection, at least, is not taken for its end.
    if (event.type !== 'more') this.#say(negative(text, code));
    if (close || event.type === 'connect' || event.type === 'more' || event.type === 'commit') {
      this.#mode = 'ended';
    }
  }

  #accept(event: Pop3Event, answer: Pop3Answer): void {
    if (event.type === 'login' && answer.kind === 'maildrop') this.#open(new Maildrop(answer.messages));
    else if (event.type === 'login' && answer.kind === 'challenge')
      this.#say(this.#authorization.challenge(answer.text));
    else if (event.type === 'more' && answer.kind === 'chunk') this.#put(this.#stuffer.stuff(answer.bytes));
    else if (event.type === 'more' && answer.kind === 'end') this.#endContent();
    else if (answer.kind === 'ok') this.#proceed(event);
    else throw new Error(`Pop3Session: "${answer.kind}" does not answer "${event.type}"`);
  }

  #proceed(event: Pop3Event): void {
    switch (event.type) {
      case 'connect':
        this.#mode = 'command';
        this.#say(positive(`${this.#options.hostname} POP3 is ready`));
        break;
      case 'retrieve':
        this.#startContent(event);
        break;
      case 'commit':
        this.#bye(positive('Bye'));
        break;
      case 'drain':
        break;
      default:
        throw new Error(`Pop3Session: "ok" does not answer "${event.type}"`);
    }
  }

  #open(maildrop: Maildrop): void {
    this.#maildrop = maildrop;
    this.#say(positive(summary(maildrop)));
  }

  // Multi-line responses

  #startListing(lines: Iterator<string> | undefined): void {
    if (lines === undefined) return;
    this.#listing = lines;
    this.#mode = 'listing';
  }

  #continueListing(): 'again' {
    const { done, value } = this.#listing?.next() ?? { done: true };
    if (!done) return this.#say(value);
    this.#mode = 'command';
    return this.#say('.');
  }

  #startContent({ number, bodyLines }: Pop3Event & { type: 'retrieve' }): void {
    const size = this.#maildrop?.find(number)?.sizeBytes ?? 0;
    this.#say(positive(bodyLines === undefined ? `${size} octets` : `The header and ${bodyLines} lines`));
    this.#stuffer = new DotStuffer();
    this.#mode = 'content';
  }

  #endContent(): void {
    this.#put(this.#stuffer.end());
    this.#mode = 'command';
  }

  // Saying things

  #put(bytes: Buffer): void {
    this.#output.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  #say(line: string): 'again' {
    this.#put(Buffer.from(`${line}\r\n`));
    return 'again';
  }

  #bye(line: string): 'again' {
    this.#say(line);
    this.#mode = 'ended';
    return 'again';
  }
}
