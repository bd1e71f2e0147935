/**
 * What the SMTP client talks over: one connection to one receiver, asked and answered in turn (RFC 5321 §3). Commands
 * go out, replies come in, and both are recorded. Knows no meaning of a command; the socket is in net/conversation.ts.
 */

import type { X509Certificate } from 'node:crypto';
import type { Endpoint, TlsFacts } from '../dossier/event.ts';
import type { ChannelBinding } from '../sasl/scram.ts';
import type { Dialogue } from '../util/dialogue.ts';
import { type Reply, replyText } from './reply.ts';

export type ConversationFailure =
  /** No connection came about. */
  | 'connect'
  /** The peer closed or reset the connection. */
  | 'closed'
  /** The peer said `421` and is closing the connection (RFC 5321 §3.8); its words are in `reply`. */
  | 'closing'
  /** The peer kept silent for longer than the caller was ready to wait. */
  | 'timeout'
  /** What the peer sent is not SMTP. */
  | 'protocol'
  /** The TLS handshake failed. */
  | 'tls'
  /** We ended it ourselves, for instance because the server stops. */
  | 'aborted'
  /** The message could not be read while it was being sent. */
  | 'content';

/** The connection is of no use any more. Thrown by a conversation, and made a value by the client. */
export class ConversationError extends Error {
  readonly kind: ConversationFailure;
  readonly reply: Reply | undefined;

  constructor(kind: ConversationFailure, message: string, options: { cause?: unknown; reply?: Reply } = {}) {
    super(message, { cause: options.cause });
    this.name = 'ConversationError';
    this.kind = kind;
    this.reply = options.reply;
  }
}

/** What the peer showed in the handshake. What follows from it is for those to say who know the policy. */
export interface TlsShown {
  facts: TlsFacts;
  /** Why the authorities that we trust do not vouch for the chain, as OpenSSL's code; undefined if they do. */
  distrust: string | undefined;
  /** What the peer sent, its own certificate first. Read only when asked for. */
  chain(): readonly X509Certificate[];
  /** It is not good enough: nobody is to take up this session again. */
  forget?(): void;
}

export interface TlsWanted {
  /** What is asked for by SNI; default: the endpoint's host. */
  serverName?: string;
  /** Sessions are taken up only under the key under which they were begun. Default: ''. */
  key?: string;
}

export interface Conversation {
  readonly endpoint: Endpoint;
  /** Our own address. */
  readonly localAddress?: string | undefined;
  /** Where what is said is recorded, secrets masked. Replaced when the connection serves another message. */
  dialogue: Dialogue;
  /**
   * Writes command lines, given without CRLF, in one piece. They are few and short, so nothing is awaited;
   * a connection that is gone shows at the next `reply`.
   */
  send(commands: readonly string[]): void;
  /** The same for one line that nobody is to read; `shown` is what is recorded of it. */
  sendSecret(line: string, shown: string): void;
  /**
   * Writes message octets as they are, unrecorded. Resolves when the connection has room for more; rejects with a
   * ConversationError when it fails or has none within `timeoutMs`.
   */
  sendContent(pieces: readonly Buffer[], timeoutMs: number): Promise<void>;
  /** The next reply; one that has arrived is given also after the connection is gone. Rejects with a ConversationError. */
  reply(timeoutMs: number): Promise<Reply>;
  /**
   * Goes over to TLS; to be called right after the reply that allows it, or first of all where TLS is implicit. Takes up
   * an earlier session where there is one; what is shown then is what the certificate was worth at its beginning. Rejects
   * with a ConversationError.
   */
  startTls(timeoutMs: number, wanted?: TlsWanted): Promise<TlsShown>;
  /** Of the TLS connection, once there is one. */
  readonly binding?: ChannelBinding | undefined;
  /** The connection stands and nothing has come that was not asked for. */
  readonly quiet: boolean;
  /** Ends the connection at once; whoever waits for it is given `error`. */
  close(error?: ConversationError): void;
}

/**
 * To be called before a question, where a conversation is not quiet: what is there already can be no answer to it, and
 * would be taken for one. Rejects with what it means: the end (`421`, or the connection is gone), or a peer out of step.
 */
export async function refuseEarly(conversation: Conversation): Promise<never> {
  const early = await conversation.reply(0);
  if (early.code === 421) throw new ConversationError('closing', replyText(early), { reply: early });
  throw new ConversationError('protocol', `the other side answers before it is asked: ${replyText(early)}`);
}

/** Connects to an endpoint. Rejects with a ConversationError of kind `connect` or `aborted`. */
export type Dial = (
  endpoint: Endpoint,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
) => Promise<Conversation>;
