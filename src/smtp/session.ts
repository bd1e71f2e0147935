/**
 * The answering side of SMTP (RFC 5321) without I/O: a pull machine over bytes. Everything that affects the order of
 * commands lives here; syntax is in command.ts, message data in data-reader.ts. Whether a sender, a recipient or a
 * message is welcome is never decided here: those are events for the application.
 * Extensions: RFC 1870 SIZE, 2034, 2920 PIPELINING, 3030 CHUNKING, 3207 STARTTLS, 3461 DSN, 4954 AUTH, 6152 8BITMIME,
 * 6531 SMTPUTF8, 2852 DELIVERBY, 4865 FUTURERELEASE, 6710 MT-PRIORITY, 8689 REQUIRETLS, 9422 LIMITS.
 */

import type { Machine, TlsInfo } from '../net/machine.ts';
import type { SaslStep } from '../sasl/exchange.ts';
import type { Dialogue } from '../util/dialogue.ts';
import { LineReader } from '../util/line-reader.ts';
import { AuthPhase } from './auth-phase.ts';
import { type Command, parseCommand } from './command.ts';
import { type OrderState, refusalOf } from './command-order.ts';
import { DataPhase } from './data-phase.ts';
import { isPermanent, isPositive, type Reply, reply } from './reply.ts';
import { schedulingExtensions } from './scheduling-parameters.ts';
import {
  maxAuthLineBytes,
  maxCommandLineBytes,
  maxErrors,
  maxSkippedBytes,
  type SmtpEvent,
  type SmtpSessionOptions,
} from './session-options.ts';
import { SessionRecord } from './session-record.ts';
import * as say from './session-replies.ts';

/** What the next octets are. */
type Mode = 'connect' | 'tls' | 'command' | 'sasl' | 'data' | 'ended';

/** Remembered in place of the chunk that is being worked on, whose octets need not be held here too. */
const emptyChunk: SmtpEvent = { type: 'chunk', bytes: Buffer.alloc(0) };

const freshState = (inTls: boolean): OrderState => ({
  greeted: undefined,
  inTls,
  authenticated: false,
  transaction: 'none',
  recipients: 0,
});

export class SmtpSession implements Machine<SmtpEvent, Reply | undefined> {
  tlsWanted = false;
  /** Command lines that the client has said so far. */
  commandsHeard = 0;
  readonly #options: SmtpSessionOptions;
  readonly #input = new LineReader(maxSkippedBytes);
  #mode: Mode = 'connect';
  #asked: SmtpEvent | undefined;
  #tls: TlsInfo | undefined;
  #state: OrderState;
  #commands = 0;
  #errors = 0;
  readonly #auth: AuthPhase;
  readonly #data: DataPhase;
  readonly #record: SessionRecord;

  constructor(options: SmtpSessionOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#state = freshState(options.tls !== undefined);
    this.#record = new SessionRecord(options.now);
    this.#auth = new AuthPhase(options.auth);
    this.#data = new DataPhase(this.#input, options);
  }

  /** Everything said since the connection began (its opening) and since the last MAIL, secrets masked. */
  get dialogue(): Dialogue {
    return this.#record.dialogue;
  }

  /** Commands that were none, or not allowed. */
  get errors(): number {
    return this.#errors;
  }

  /** The client has said something that was not looked at yet. */
  get hasUnread(): boolean {
    return this.#input.heldBytes > 0;
  }

  get midway(): boolean {
    // Whose recipients were all refused has nothing left to lose.
    const { transaction } = this.#state;
    return this.#mode === 'data' || transaction === 'addressed' || transaction === 'receiving';
  }

  get ended(): boolean {
    return this.#mode === 'ended';
  }

  receive(bytes: Buffer): void {
    this.#input.push(bytes);
  }

  output(): Buffer | undefined {
    return this.#record.takeUnsent();
  }

  tlsStarted(tls: TlsInfo): void {
    this.#input.clear(); // whatever came in clear text was not said by whom we talk to now
    this.tlsWanted = false;
    this.#tls = tls;
    this.#state = freshState(true);
    this.#data.end();
    this.#mode = 'tls';
  }

  end(why: 'idle' | 'time' | 'shutdown' | 'revoked'): void {
    if (!this.ended) this.#bye(say.goodbye(this.#options.hostname, why));
  }

  next(): SmtpEvent | undefined {
    if (this.#asked) return undefined;
    while (!this.ended && !this.tlsWanted) {
      const step = this.#step();
      if (step === 'starved') return undefined;
      if (step !== 'again') {
        this.#asked = step.type === 'chunk' ? emptyChunk : step;
        return step;
      }
    }
    return undefined;
  }

  /** One step of reading: an event, or a reply already said (`again`), or too few octets (`starved`). */
  #step(): SmtpEvent | 'again' | 'starved' {
    switch (this.#mode) {
      case 'connect':
        return { type: 'connect' };
      case 'tls':
        return this.#tls ? { type: 'tls', tls: this.#tls } : 'starved';
      case 'command':
        return this.#readCommand();
      case 'sasl':
        return this.#readSasl();
      case 'data':
        return this.#readData();
      case 'ended':
        return 'starved';
    }
  }

  reply(answer: Reply | undefined): void {
    const event = this.#asked;
    this.#asked = undefined;
    if (event === undefined) throw new Error('SmtpSession.reply() without an event');
    this.#answer(event, answer);
    if (answer?.code === 421) this.#mode = 'ended';
  }

  #answer(event: SmtpEvent, answer: Reply | undefined): void {
    switch (event.type) {
      case 'connect':
        this.#mode = 'command';
        this.#say(answer ?? say.banner(this.#options.hostname, this.#options.lmtp));
        if (answer && !isPositive(answer)) this.#mode = 'ended';
        break;
      case 'tls':
        this.#mode = 'command';
        break;
      case 'hello':
        this.#answerHello(event.verb, answer ?? this.#hello(event.verb));
        break;
      case 'authenticate':
        this.#answerClaim(answer);
        break;
      case 'mail':
        if (!answer || isPositive(answer)) this.#note({ transaction: 'open' });
        this.#say(answer ?? say.senderOk);
        break;
      case 'recipient':
        if (!answer || isPositive(answer))
          this.#note({ transaction: 'addressed', recipients: this.#state.recipients + 1 });
        this.#say(answer ?? say.recipientOk);
        break;
      case 'data':
        this.#answerData(answer);
        break;
      case 'message':
        this.#answerMessage(answer ?? event.fault ?? say.internalError);
        break;
    }
  }

  /** In LMTP once for each recipient that was accepted (RFC 2033 §4.2). */
  #answerMessage(answer: Reply): void {
    const { recipients } = this.#state;
    this.#endTransaction();
    this.#mode = 'command';
    if (isPositive(answer)) this.#commands = 0;
    if (!this.#options.lmtp) return void this.#say(answer);
    for (let index = 0; index < recipients; index++) this.#say(answer.each?.[index] ?? answer);
  }

  // Commands

  #readCommand(): SmtpEvent | 'again' | 'starved' {
    const line = this.#input.line(maxAuthLineBytes);
    if (line === undefined) return 'starved';
    if (line === 'endless') return this.#bye(say.endlessLine);
    this.commandsHeard++;
    if (++this.#commands > this.#options.commands) return this.#bye(say.tooManyCommands);
    if (line === 'tooLong' || isTooLong(line)) return this.#refuse(say.lineTooLong(maxCommandLineBytes));
    const command = parseCommand(line);
    if (command.verb === 'MAIL' && this.#state.transaction === 'none') this.dialogue.startExcerpt();
    this.#record.heardCommand(command, line);
    return this.#obey(command);
  }

  #obey(command: Command): SmtpEvent | 'again' {
    const refusal = refusalOf(command, this.#state, this.#options);
    if (command.verb === 'BDAT') return this.#bdat(command, refusal);
    if (command.verb === 'AUTH' && refusal) this.#record.refusedAuth();
    return refusal ? this.#refuse(refusal) : this.#proceed(command);
  }

  #proceed(command: Exclude<Command, { verb: 'BDAT' }>): SmtpEvent | 'again' {
    switch (command.verb) {
      case 'LHLO': // is to LMTP what EHLO is to SMTP
        return { type: 'hello', verb: 'EHLO', name: command.name };
      case 'HELO':
      case 'EHLO':
        return { type: 'hello', verb: command.verb, name: command.name };
      case 'MAIL':
        return { type: 'mail', path: command.path, parameters: command.parameters };
      case 'RCPT':
        return { type: 'recipient', path: command.path, parameters: command.parameters };
      case 'DATA':
        return { type: 'data' };
      case 'AUTH':
        return this.#startAuth(command);
      case 'STARTTLS':
        this.tlsWanted = true;
        return this.#say(say.startTls);
      case 'RSET':
        this.#endTransaction();
        this.#say(say.resetOk);
        return { type: 'reset' };
      case 'NOOP':
        return this.#say(say.ok);
      case 'VRFY':
        return this.#say(say.cannotVerify);
      case 'HELP':
        return this.#say(say.help(this.#hello('EHLO').lines.slice(1)));
      case 'QUIT':
        return this.#bye(say.quit);
      case 'invalid':
        return this.#refuse(command.reply);
    }
  }

  #hello(verb: 'HELO' | 'EHLO'): Reply {
    const { hostname, startTls, messageBytes, recipients, scheduling, now } = this.#options;
    if (verb === 'HELO') return reply(250, '', hostname);
    return say.extensions({
      hostname,
      messageBytes,
      recipients,
      startTls: startTls && !this.#tls,
      requireTls: this.#tls !== undefined,
      scheduling: scheduling && this.#tls ? schedulingExtensions(scheduling, now()) : [],
      auth: this.#state.authenticated ? [] : this.#auth.offered(this.#tls),
    });
  }

  #answerHello(verb: 'HELO' | 'EHLO', answer: Reply): void {
    this.#endTransaction();
    if (isPositive(answer)) this.#note({ greeted: verb });
    this.#say(answer);
  }

  // AUTH (RFC 4954)

  #startAuth(command: Command & { verb: 'AUTH' }): SmtpEvent | 'again' {
    const step = this.#auth.start(command, this.#tls);
    if (step) return this.#saslStep(step);
    this.#record.refusedAuth();
    return this.#refuse(say.unknownMechanism(this.#auth.offered(this.#tls)));
  }

  #readSasl(): SmtpEvent | 'again' | 'starved' {
    const line = this.#input.line(maxAuthLineBytes);
    if (line === undefined) return 'starved';
    if (line === 'endless') return this.#bye(say.endlessLine);
    this.#record.heardSecret();
    this.#mode = 'command';
    const step = line === 'tooLong' ? undefined : this.#auth.step(line.toString('latin1'));
    return step ? this.#saslStep(step) : this.#refuse(say.lineTooLong(maxAuthLineBytes));
  }

  #saslStep(step: SaslStep): SmtpEvent | 'again' {
    if (step.kind === 'claim') return { type: 'authenticate', claim: step.claim };
    if (step.kind === 'error') return this.#refuse(say.authFailed(step));
    this.#mode = 'sasl';
    return this.#say(reply(334, '', step.challenge));
  }

  #answerClaim(answer: Reply | undefined): void {
    const goesOn = answer?.code === 334;
    this.#mode = goesOn ? 'sasl' : 'command';
    if (goesOn && this.#auth.hasSecretChallenges) return this.#record.saySecret(answer);
    this.#note({ authenticated: answer !== undefined && isPositive(answer) });
    this.#say(answer ?? say.badCredentials);
  }

  // Message data, by DATA or in BDAT chunks

  #bdat(command: Command & { verb: 'BDAT' }, refusal: Reply | undefined): SmtpEvent | 'again' {
    this.#mode = 'data';
    return this.#data.startChunk(command, refusal) ? { type: 'data' } : 'again';
  }

  #answerData(answer: Reply | undefined): void {
    const refusal = answer && !isPositive(answer) ? answer : undefined;
    const said = this.#data.start(refusal);
    if (said) this.#say(said);
    if (!refusal) {
      this.#note({ transaction: 'receiving' });
      this.#mode = 'data';
    }
  }

  #readData(): SmtpEvent | 'again' | 'starved' {
    const step = this.#data.step();
    if (step === 'starved') return 'starved';
    if ('event' in step) {
      if (step.event.type === 'message') this.#record.heardMessage(step.event.sizeBytes);
      return step.event;
    }
    this.#mode = 'command';
    if (step.next === 'ended') return this.#bye(step.say);
    if (step.next === 'command') return this.#say(step.say);
    this.#record.heardUnwantedChunk();
    return this.#refuse(step.say);
  }

  // Saying things

  #endTransaction(): void {
    this.#note({ transaction: 'none', recipients: 0 });
    this.#data.end();
  }

  #say(answer: Reply): 'again' {
    this.#record.say(answer);
    return 'again';
  }

  #note(change: Partial<OrderState>): void {
    this.#state = { ...this.#state, ...change };
  }

  /** Says what was wrong; too much of it ends the session. A 4xx is not the client's fault. */
  #refuse(answer: Reply): 'again' {
    if (isPermanent(answer)) this.#errors++;
    return this.#errors > maxErrors ? this.#bye(say.tooManyErrors) : this.#say(answer);
  }

  #bye(answer: Reply): 'again' {
    this.#say(answer);
    this.#mode = 'ended';
    return 'again';
  }
}

/** Of commands only AUTH may be longer: its initial response may be a token. */
function isTooLong(line: Buffer): boolean {
  if (line.length <= maxCommandLineBytes - crlfBytes) return false;
  return !/^\s*AUTH\s/i.test(line.toString('latin1', 0, 40));
}

const crlfBytes = 2;
