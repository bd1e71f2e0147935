/**
 * The answering side of SMTP (RFC 5321) without I/O: a pull machine over bytes. What comes is read here; how far the
 * session is stands in session-state.ts, what a command comes to in session-commands.ts, what follows from an answer in
 * session-answers.ts. Whether a sender, a recipient or a message is welcome is decided by none of them: those are events
 * for the application.
 * Extensions: RFC 1870 SIZE, 2034, 2920 PIPELINING, 3030 CHUNKING, 3207 STARTTLS, 3461 DSN, 4954 AUTH, 6152 8BITMIME,
 * 6531 SMTPUTF8, 2852 DELIVERBY, 4865 FUTURERELEASE, 6710 MT-PRIORITY, 8689 REQUIRETLS, 9422 LIMITS.
 */

import type { Machine, TlsInfo } from '../net/machine.ts';
import type { Dialogue } from '../util/dialogue.ts';
import { LineReader } from '../util/line-reader.ts';
import { parseCommand } from './command.ts';
import type { Reply } from './reply.ts';
import { takeAnswer } from './session-answers.ts';
import { obey, obeySasl } from './session-commands.ts';
import {
  maxAuthLineBytes,
  maxCommandLineBytes,
  maxSkippedBytes,
  type SmtpEvent,
  type SmtpSessionOptions,
} from './session-options.ts';
import * as say from './session-replies.ts';
import { SessionState } from './session-state.ts';

/** Remembered in place of the chunk that is being worked on, whose octets need not be held here too. */
const emptyChunk: SmtpEvent = { type: 'chunk', bytes: Buffer.alloc(0) };

/** What a step of reading came to: an event, or a reply already said (`again`), or too few octets (`starved`). */
type Step = SmtpEvent | 'again' | 'starved';

export class SmtpSession implements Machine<SmtpEvent, Reply | undefined> {
  /** Command lines that the client has said so far. */
  commandsHeard = 0;
  readonly #input = new LineReader(maxSkippedBytes);
  readonly #state: SessionState;
  #asked: SmtpEvent | undefined;

  constructor(options: SmtpSessionOptions) {
    this.#state = new SessionState(this.#input, options);
  }

  /** Everything said since the connection began (its opening) and since the last MAIL, secrets masked. */
  get dialogue(): Dialogue {
    return this.#state.record.dialogue;
  }

  /** Commands that were none, or not allowed. */
  get errors(): number {
    return this.#state.errors;
  }

  /** The client has said something that was not looked at yet. */
  get hasUnread(): boolean {
    return this.#input.heldBytes > 0;
  }

  get midway(): boolean {
    // Whose recipients were all refused has nothing left to lose.
    const { mode, order } = this.#state;
    return mode === 'data' || order.transaction === 'addressed' || order.transaction === 'receiving';
  }

  get tlsWanted(): boolean {
    return this.#state.tlsWanted;
  }

  get ended(): boolean {
    return this.#state.mode === 'ended';
  }

  receive(bytes: Buffer): void {
    this.#input.push(bytes);
  }

  output(): Buffer | undefined {
    return this.#state.record.takeUnsent();
  }

  tlsStarted(tls: TlsInfo): void {
    this.#input.clear(); // whatever came in clear text was not said by whom we talk to now
    this.#state.startTls(tls);
  }

  end(why: 'idle' | 'time' | 'shutdown' | 'revoked'): void {
    if (!this.ended) this.#state.bye(say.goodbye(this.#state.options.hostname, why));
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

  reply(answer: Reply | undefined): void {
    const event = this.#asked;
    this.#asked = undefined;
    if (event === undefined) throw new Error('SmtpSession.reply() without an event');
    takeAnswer(this.#state, event, answer);
    if (answer?.code === 421) this.#state.mode = 'ended';
  }

  #step(): Step {
    const { mode, tls } = this.#state;
    switch (mode) {
      case 'connect':
        return { type: 'connect' };
      case 'tls':
        return tls ? { type: 'tls', tls } : 'starved';
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

  #readCommand(): Step {
    const state = this.#state;
    const line = this.#input.line(maxAuthLineBytes);
    if (line === undefined) return 'starved';
    if (line === 'endless') return state.bye(say.endlessLine);
    this.commandsHeard++;
    if (++state.commands > state.options.commands) return state.bye(say.tooManyCommands);
    if (line === 'tooLong' || isTooLong(line)) return state.refuse(say.lineTooLong(maxCommandLineBytes));
    const command = parseCommand(line);
    if (command.verb === 'MAIL' && state.order.transaction === 'none') this.dialogue.startExcerpt();
    state.record.heardCommand(command, line);
    return obey(state, command);
  }

  /** A line of an AUTH exchange (RFC 4954 §4). */
  #readSasl(): Step {
    const state = this.#state;
    const line = this.#input.line(maxAuthLineBytes);
    if (line === undefined) return 'starved';
    if (line === 'endless') return state.bye(say.endlessLine);
    state.record.heardSecret();
    state.mode = 'command';
    const step = line === 'tooLong' ? undefined : state.auth.step(line.toString('latin1'));
    return step ? obeySasl(state, step) : state.refuse(say.lineTooLong(maxAuthLineBytes));
  }

  /** Message data, by DATA or in BDAT chunks. */
  #readData(): Step {
    const state = this.#state;
    const step = state.data.step();
    if (step === 'starved') return 'starved';
    if ('event' in step) {
      if (step.event.type === 'message') state.record.heardMessage(step.event.sizeBytes);
      return step.event;
    }
    state.mode = 'command';
    if (step.next === 'ended') return state.bye(step.say);
    if (step.next === 'command') return state.say(step.say);
    state.record.heardUnwantedChunk();
    return state.refuse(step.say);
  }
}

/** Of commands only AUTH may be longer: its initial response may be a token. */
function isTooLong(line: Buffer): boolean {
  if (line.length <= maxCommandLineBytes - crlfBytes) return false;
  return !/^\s*AUTH\s/i.test(line.toString('latin1', 0, 40));
}

const crlfBytes = 2;
