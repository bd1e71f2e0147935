/**
 * How far an SMTP session is, and what it says: the order of commands as it stands, what the next octets are, how much
 * the client has done wrong. Reads nothing, and decides nothing but that too much is too much.
 */

import type { TlsInfo } from '../net/machine.ts';
import type { LineReader } from '../util/line-reader.ts';
import { AuthPhase } from './auth-phase.ts';
import type { OrderState } from './command-order.ts';
import { DataPhase } from './data-phase.ts';
import { isPermanent, type Reply } from './reply.ts';
import { maxErrors, type SmtpSessionOptions } from './session-options.ts';
import { SessionRecord } from './session-record.ts';
import { tooManyErrors } from './session-replies.ts';

/** What the next octets are. */
export type Mode = 'connect' | 'tls' | 'command' | 'sasl' | 'data' | 'ended';

const freshOrder = (inTls: boolean): OrderState => ({
  greeted: undefined,
  inTls,
  authenticated: false,
  transaction: 'none',
  recipients: 0,
});

export class SessionState {
  readonly options: SmtpSessionOptions;
  readonly auth: AuthPhase;
  readonly data: DataPhase;
  readonly record: SessionRecord;
  mode: Mode = 'connect';
  /** The client was told to go ahead with its handshake. */
  tlsWanted = false;
  tls: TlsInfo | undefined;
  order: OrderState;
  /** Command lines since the last message that was taken. */
  commands = 0;
  /** Commands that were none, or not allowed. */
  errors = 0;

  constructor(input: LineReader, options: SmtpSessionOptions) {
    this.options = options;
    this.tls = options.tls;
    this.order = freshOrder(options.tls !== undefined);
    this.record = new SessionRecord(options.now);
    this.auth = new AuthPhase(options.auth);
    this.data = new DataPhase(input, options);
  }

  /** The handshake is done: all that was said before is forgotten (RFC 3207 §4.2). */
  startTls(tls: TlsInfo): void {
    this.tlsWanted = false;
    this.tls = tls;
    this.order = freshOrder(true);
    this.data.end();
    this.mode = 'tls';
  }

  note(change: Partial<OrderState>): void {
    this.order = { ...this.order, ...change };
  }

  endTransaction(): void {
    this.note({ transaction: 'none', recipients: 0 });
    this.data.end();
  }

  say(answer: Reply): 'again' {
    this.record.say(answer);
    return 'again';
  }

  /** Says what was wrong; too much of it ends the session. A 4xx is not the client's fault. */
  refuse(answer: Reply): 'again' {
    if (isPermanent(answer)) this.errors++;
    return this.errors > maxErrors ? this.bye(tooManyErrors) : this.say(answer);
  }

  bye(answer: Reply): 'again' {
    this.say(answer);
    this.mode = 'ended';
    return 'again';
  }
}
