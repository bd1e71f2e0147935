/**
 * The contract between a protocol's answering side (sans-IO), the socket that feeds it and the application that
 * decides. A machine is *pulled*: it yields nothing new until its last event has been answered, so pipelined commands
 * keep their order by themselves, and whoever drives it reads no more than has been answered (back-pressure).
 */

import type { ChannelBinding } from '../sasl/scram.ts';

export interface TlsInfo {
  /** As OpenSSL names them: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`. */
  version: string;
  cipher: string;
  /** The name the client asked for (SNI). */
  serverName?: string;
  /** What identifies this connection to both ends (RFC 5056); absent where it has nothing of the kind. */
  binding?: ChannelBinding;
}

export interface Machine<Event, Answer> {
  /** Takes bytes from the peer, which are the machine's from now on: it may change them. */
  receive(bytes: Buffer): void;
  /** The next thing to decide, or undefined when more bytes are needed. Every event needs a `reply`. */
  next(): Event | undefined;
  /** Answers the last event. */
  reply(answer: Answer): void;
  /** Bytes for the peer since the last call, or undefined. */
  output(): Buffer | undefined;
  /** The client asked for TLS and was told to go ahead: after the output is written, the handshake follows. */
  readonly tlsWanted: boolean;
  /** The handshake is done. Forgets all clear text that was received before it (RFC 3207 §4.2, CVE-2011-0411). */
  tlsStarted(tls: TlsInfo): void;
  /** A message is coming in that the peer would have to send again: worth waiting for when the server stops. */
  readonly midway: boolean;
  /** True once the output is the last: write it and close. */
  readonly ended: boolean;
  /** Says a last word, if the protocol has one, and ends: the session took too long, or the server stops. */
  end(why: 'idle' | 'time' | 'shutdown' | 'revoked'): void;
}

/** Who is at the other end of a connection. */
export interface Peer {
  address: string;
  port: number;
  /** Our own end. */
  localAddress: string;
  localPort: number;
  /**
   * It came by a proxy, which has said who it is; or it has not (`nobody`), and `address` is the proxy's own: then nothing follows
   * from that address, neither trust nor blame.
   */
  proxy?: { address: string; speaksFor: 'client' | 'nobody' };
}

/** Decides what a machine's events are answered with. One per connection. */
export interface Application<Event, Answer> {
  /** A rejected promise is a bug: it is logged with the session's dialogue and the connection is closed. */
  handle(event: Event): Answer | Promise<Answer>;
  /** The connection is gone; whatever was not finished is dropped. Called exactly once. */
  closed(): void;
}
