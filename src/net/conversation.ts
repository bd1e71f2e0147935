/**
 * A conversation of the SMTP client on a socket: dialling, timeouts, back-pressure, the change to TLS (RFC 3207).
 * The certificate is always verified and what is found is recorded; what follows from it is decided elsewhere.
 */

import { connect, type NetConnectOpts, type Socket } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import type { Endpoint } from '../dossier/event.ts';
import type { ChannelBinding } from '../sasl/scram.ts';
import {
  type Conversation,
  ConversationError,
  type ConversationFailure,
  type Dial,
  type TlsShown,
  type TlsWanted,
} from '../smtp/conversation.ts';
import { type Reply, replyLines } from '../smtp/reply.ts';
import { ReplyParser, ReplySyntaxError } from '../smtp/reply-parser.ts';
import type { Clock } from '../util/clock.ts';
import { Dialogue } from '../util/dialogue.ts';
import { channelBinding } from './channel-binding.ts';
import { failureText, withoutSecrets } from './conversation-words.ts';
import { TlsSessions } from './tls-sessions.ts';
import { serverName, shownAgain, tlsShown } from './tls-shown.ts';
import { writeAtTurnEnd } from './turn-end.ts';

/** Octets from a peer that talks without being asked; more ends the connection. */
const maxUnreadBytes = 262_144;
/** Lines of what was no reply, or not a whole one, that are recorded. */
const maxFragmentLines = 10;

export interface DiallerParts {
  clock: Clock;
  /** Certificate authorities trusted besides the system's, PEM. */
  authorities?: readonly string[];
  /** Told of each TLS handshake that failed. */
  onTlsFailure?: ((error: ConversationError) => void) | undefined;
}

/** Makes the `Dial` that opens real connections. */
export function socketDialler({ clock, authorities = [], onTlsFailure }: DiallerParts): Dial {
  const secureContext = createSecureContext({
    minVersion: 'TLSv1.2',
    ...(authorities.length > 0 && { ca: [...getCACertificates('default'), ...authorities] }),
  });
  const sessions = new TlsSessions(clock);
  return async (endpoint, { timeoutMs, signal }) => {
    if (signal?.aborted) throw new ConversationError('aborted', 'stopped before connecting');
    const socket = connect(placeOf(endpoint));
    const conversation = new SocketConversation(socket, {
      endpoint,
      clock,
      secureContext,
      sessions,
      onTlsFailure,
    });
    const abort = () => conversation.close(new ConversationError('aborted', 'stopped while connecting'));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await conversation.connected(timeoutMs);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    return conversation;
  };
}

interface ConversationParts {
  endpoint: Endpoint;
  clock: Clock;
  secureContext: SecureContext;
  sessions: TlsSessions;
  onTlsFailure: DiallerParts['onTlsFailure'];
}

class SocketConversation implements Conversation {
  readonly endpoint: Endpoint;
  localAddress: string | undefined;
  dialogue: Dialogue;
  readonly #clock: Clock;
  readonly #secureContext: SecureContext;
  readonly #sessions: TlsSessions;
  readonly #onTlsFailure: DiallerParts['onTlsFailure'];
  readonly #parser = new ReplyParser();
  #socket: Socket;
  /** What it means when the socket fails now. */
  #stage: ConversationFailure = 'connect';
  #failure: ConversationError | undefined;
  /** What came was no reply, and what follows it is none either. */
  #isUnreadable = false;
  /** Looks again whether what somebody waits for is there. */
  #wake: (() => void) | undefined;

  constructor(socket: Socket, { endpoint, clock, secureContext, sessions, onTlsFailure }: ConversationParts) {
    this.endpoint = endpoint;
    this.#clock = clock;
    this.#secureContext = secureContext;
    this.#sessions = sessions;
    this.#onTlsFailure = onTlsFailure;
    this.dialogue = new Dialogue(clock.now);
    this.#socket = socket;
    this.#attach(socket);
    socket.once('connect', () => this.#wake?.());
  }

  async connected(timeoutMs: number): Promise<void> {
    await this.#until(() => this.#socket.readyState === 'open' || undefined, timeoutMs, 'connection');
    this.localAddress = this.#socket.localAddress;
    this.#stage = 'closed';
  }

  get binding(): ChannelBinding | undefined {
    const socket = this.#socket;
    return socket instanceof TLSSocket
      ? channelBinding(socket, () => socket.getPeerX509Certificate())
      : undefined;
  }

  get quiet(): boolean {
    return this.#failure === undefined && this.#parser.idle;
  }

  send(commands: readonly string[]): void {
    this.#write(commands, commands.map(withoutSecrets));
  }

  sendSecret(line: string, shown: string): void {
    this.#write([line], [shown]);
  }

  async sendContent(pieces: readonly Buffer[], timeoutMs: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    writeAtTurnEnd(this.#socket, ...pieces);
    // A socket that has failed needs no drain either.
    const hasRoom = () => (this.#failure === undefined && !this.#socket.writableNeedDrain) || undefined;
    await this.#until(hasRoom, timeoutMs, 'room for more data');
  }

  async reply(timeoutMs: number): Promise<Reply> {
    const reply = await this.#until(() => this.#nextReply(), timeoutMs, 'reply');
    // What AUTH asks is half of what its answers prove: enough to try passwords on (RFC 5802 §9).
    const lines = reply.code === 334 ? ['334 ***'] : replyLines(reply);
    for (const line of lines) this.dialogue.server(line);
    return reply;
  }

  async startTls(
    timeoutMs: number,
    { serverName: name = this.endpoint.host, key: policy = '' }: TlsWanted = {},
  ): Promise<TlsShown> {
    // They would be taken for part of what TLS protects (CVE-2011-0411, for clients).
    if (!this.#parser.idle) throw this.#fail('protocol', 'octets in clear text before the TLS handshake');
    this.#socket.removeAllListeners('data');
    const key = `${name} ${this.endpoint.port} ${this.localAddress} ${policy}`;
    const earlier = this.#sessions.take(key);
    let mismatch: Error | undefined;
    const secure = tlsConnect({
      socket: this.#socket,
      ...serverName(name, this.endpoint),
      secureContext: this.#secureContext,
      ...(earlier !== undefined && { session: earlier.session }),
      // Opportunistic (RFC 7435): the verdict is recorded, and encryption to an unknown peer beats clear text.
      rejectUnauthorized: false,
      checkServerIdentity: (name, certificate) => {
        mismatch = checkServerIdentity(name, certificate);
        return mismatch;
      },
    });
    this.#stage = 'tls';
    this.#socket = secure;
    const tickets = this.#sessions.follow(secure, key);
    this.#attach(secure);
    let done = false;
    secure.once('secureConnect', () => {
      done = true;
      this.#wake?.();
    });
    await this.#until(() => done || undefined, timeoutMs, 'end of the TLS handshake');
    this.#stage = 'closed';
    if (earlier === undefined || !secure.isSessionReused())
      return tickets.keep(tlsShown(secure, mismatch), this.#clock.now());
    const shown = shownAgain(secure, earlier.shown);
    // OpenSSL sends no new ticket for one that is still good. To use one again tells the server no more than our address does.
    this.#sessions.keep(key, earlier);
    return tickets.keep(shown, earlier.verifiedAt);
  }

  close(error = new ConversationError('aborted', 'we closed the connection')): void {
    if (this.#failure === undefined) {
      this.#recordFragment();
      if (error.kind === 'tls') this.#onTlsFailure?.(error);
    }
    this.#failure ??= error;
    this.#socket.destroy();
    this.#wake?.();
  }

  /** What was no reply, or not a whole one, may be just what explains the end. */
  #recordFragment(): void {
    const lines = this.#parser.fragment();
    for (const line of lines.slice(0, maxFragmentLines))
      this.dialogue.server(line.startsWith('334') ? '334 ***' : line);
    const more = lines.length - maxFragmentLines;
    if (more > 0) this.dialogue.server(`(${more} lines more of it)`);
  }

  #write(lines: readonly string[], shown: readonly string[]): void {
    if (this.#failure !== undefined) return;
    for (const line of lines) {
      // An address with a line end in it would be a command of its author's.
      if (/[\r\n\0]/.test(line))
        throw new Error(`Cannot send ${JSON.stringify(withoutSecrets(line))}: it is not one line`);
    }
    for (const line of shown) this.dialogue.client(line);
    writeAtTurnEnd(this.#socket, `${lines.join('\r\n')}\r\n`);
  }

  #attach(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('drain', () => this.#wake?.());
    socket.on('error', (error) => this.#fail(this.#stage, failureText(this.#stage, error), error));
    // Under TLS the TCP socket ends too, maybe before all that came has been decrypted: its end counts no more then.
    const ended = (message: string) => {
      if (socket === this.#socket) this.#fail(this.#stage, message);
    };
    socket.on('end', () => ended('the other side closed the connection'));
    socket.on('close', () => ended('the connection was closed'));
  }

  #receive(bytes: Buffer): void {
    this.#parser.receive(bytes);
    this.#wake?.();
    if (this.#parser.unreadBytes > maxUnreadBytes)
      this.#fail('protocol', 'the other side talks without being asked');
  }

  #nextReply(): Reply | undefined {
    if (this.#isUnreadable) return undefined;
    try {
      return this.#parser.next();
    } catch (error) {
      this.#isUnreadable = true;
      if (error instanceof ReplySyntaxError) throw this.#fail('protocol', error.message, error);
      throw error;
    }
  }

  /** Ends the conversation, but for the first of its failures being kept. */
  #fail(kind: ConversationFailure, message: string, cause?: unknown): ConversationError {
    this.close(new ConversationError(kind, message, { cause }));
    return this.#failure ?? new ConversationError(kind, message, { cause });
  }

  /** Waits until `look` finds something. What has come before a failure is found first. One waits at a time. */
  #until<T>(look: () => T | undefined, timeoutMs: number, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      let cancel: (() => void) | undefined;
      const settle = (finish: () => void) => {
        cancel?.();
        this.#wake = undefined;
        finish();
      };
      const wake = () => {
        try {
          const found = look();
          if (found !== undefined) settle(() => resolve(found));
          else if (this.#failure !== undefined) settle(() => reject(this.#failure));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      this.#wake = wake;
      wake();
      if (this.#wake === undefined) return;
      cancel = this.#clock.after(timeoutMs, () => {
        const kind = this.#stage === 'closed' ? 'timeout' : this.#stage;
        this.#fail(kind, `no ${what} within ${timeoutMs / 1000} s`, timedOut);
      });
    });
  }
}

/** The cause of what nobody has told us. */
const timedOut = Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });

/** The path of a Unix socket stands where an IP address would. */
const placeOf = ({ address, port, source }: Endpoint): NetConnectOpts =>
  address.startsWith('/')
    ? { path: address }
    : { host: address, port, noDelay: true, ...(source !== undefined && { localAddress: source }) };
