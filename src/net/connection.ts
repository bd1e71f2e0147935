/**
 * Feeds one socket to one machine and its application: reads, asks, writes, upgrades to TLS, keeps the time limits,
 * and closes so that the last word arrives. Knows no protocol and decides nothing.
 */

import type { Socket } from 'node:net';
import type { Log } from '../util/log.ts';
import type { Application, Machine } from './machine.ts';
import type { ServerTls } from './server-context.ts';
import { startServerTls } from './server-handshake.ts';
import { writeAtTurnEnd } from './turn-end.ts';

export interface ConnectionLimits {
  /** Without a byte from the peer for this long, the session ends. */
  idleMs: number;
  /** No session lasts longer. */
  sessionMs: number;
}

/** Time for the peer to read our last word. */
const lingerMs = 3_000;

/** Octets of a piece of something large, as TLS hands them out. */
const bulkBytes = 16 * 1024;

type EndReason = 'idle' | 'time' | 'shutdown' | 'revoked';

/**
 * A session that must end while an answer is being worked on waits so long for it. When the server stops, somebody waits
 * for that; else as long as a client waits for the answer to its message (RFC 5321 §4.5.3.2.6).
 */
const lastAnswerMs: Record<EndReason, number> = {
  idle: 600_000,
  time: 600_000,
  revoked: 600_000,
  shutdown: 10_000,
};

export interface ConnectionParts<Event, Answer> {
  machine: Machine<Event, Answer>;
  application: Application<Event, Answer>;
  /** For STARTTLS; absent: it is not offered. */
  tls: ServerTls | undefined;
  limits: ConnectionLimits;
  log: Log;
}

/** A connection, whatever it speaks, as those see it who must end it. */
export interface OpenSession {
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;
  end(why: EndReason): void;
  /** From now on, without a byte from the peer for this long it ends. */
  limitIdle(idleMs: number): void;
}

export class Connection<Event, Answer> implements OpenSession {
  readonly #parts: ConnectionParts<Event, Answer>;
  #socket: Socket;
  /** Nothing new is asked before the application has answered, or the peer has made room or shaken hands. */
  #waitingFor: 'application' | 'peer' | undefined;
  /** The last piece was large: more of it is to come, and is not read before it can be used. */
  #isBulk = false;
  /** The answer under way is given, then it is over, for this reason. */
  #endAfterAnswer: EndReason | undefined;
  /** The peer has closed its side: it says no more, but hears what it is answered. */
  #heardAll = false;
  #closing = false;
  #idleMs: number;
  readonly closed: Promise<void>;
  readonly #lifetime: NodeJS.Timeout;

  /** Takes over a connected socket. `closed` of the application is called once, when it is gone. */
  constructor(socket: Socket, parts: ConnectionParts<Event, Answer>) {
    this.#parts = parts;
    this.#socket = socket;
    this.#idleMs = parts.limits.idleMs;
    this.#lifetime = setTimeout(() => this.end('time'), parts.limits.sessionMs);
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.once('close', () => {
      clearTimeout(this.#lifetime);
      this.#closing = true;
      parts.application.closed();
    });
    this.#listen(socket);
    this.#pump();
  }

  /**
   * Says goodbye and closes: too long idle, too long in all, or the server stops. An answer that is being worked on is
   * given first: a message that was kept must not be sent again. A server that stops lets a message come in.
   */
  end(why: EndReason): void {
    if (this.#closing) return;
    if (this.#waitingFor === 'application' || this.#isMidway(why)) return this.#awaitLastAnswer(why);
    if (this.#parts.machine.tlsWanted) {
      this.#socket.destroy(); // in the middle of a handshake there is no language to say goodbye in
      return;
    }
    this.#parts.machine.end(why);
    this.#flush();
    this.#close();
  }

  limitIdle(idleMs: number): void {
    this.#idleMs = idleMs;
    // A handshake has a time of its own.
    if (!this.#closing && !this.#parts.machine.tlsWanted) this.#socket.setTimeout(idleMs);
  }

  #isMidway(why: EndReason): boolean {
    return why === 'shutdown' && this.#parts.machine.midway;
  }

  #awaitLastAnswer(why: EndReason): void {
    const socket = this.#socket;
    if (this.#endAfterAnswer) return;
    this.#endAfterAnswer = why;
    const limit = setTimeout(() => this.#lateEnd(why), lastAnswerMs[why]);
    socket.once('close', () => clearTimeout(limit));
  }

  /** The time is over. Nobody waits for our answer where the peer has the word: it can be told. */
  #lateEnd(why: EndReason): void {
    if (this.#waitingFor) return void this.#socket.destroy();
    this.#parts.machine.end(why);
    this.#flush();
    this.#close();
  }

  #listen(socket: Socket): void {
    socket.setTimeout(this.#idleMs, () => this.end('idle'));
    socket.on('error', (error) => this.#parts.log.debug({ error: error.message }, 'connection error'));
    socket.on('data', (bytes: Buffer) => {
      if (this.#closing) return; // lingering: read and dropped, so that our last word is not cut off by a reset
      this.#isBulk = bytes.length >= bulkBytes;
      this.#parts.machine.receive(bytes);
      if (this.#waitingFor) socket.pause();
      else this.#pump();
    });
    socket.on('end', () => {
      this.#heardAll = true;
      if (!this.#waitingFor && !this.#closing) this.#pump();
    });
  }

  #pump(): void {
    const { machine, application } = this.#parts;
    try {
      for (let event = machine.next(); event !== undefined; event = machine.next()) {
        const answer = application.handle(event);
        if (answer instanceof Promise) return this.#wait(answer);
        machine.reply(answer);
      }
    } catch (error) {
      return this.#crash(error);
    }
    this.#flush();
    if (this.#isLast()) return;
    if (machine.ended || this.#heardAll) this.#close();
    else if (machine.tlsWanted) this.#startTls();
  }

  /** The answer takes time: what is said so far goes out meanwhile. */
  #wait(answer: Promise<Answer>): void {
    this.#waitingFor = 'application';
    if (this.#isBulk) this.#socket.pause(); // else only with the next piece: it mostly comes after the answer
    this.#flush();
    answer.then(
      (value) => this.#answered(value),
      (error) => this.#crash(error),
    );
  }

  #answered(answer: Answer): void {
    if (this.#closing) return;
    this.#waitingFor = undefined;
    try {
      this.#parts.machine.reply(answer);
    } catch (error) {
      return this.#crash(error);
    }
    if (this.#isLast()) return;
    const drained = this.#drained();
    if (!drained) return this.#goOn();
    this.#waitingFor = 'peer';
    void drained.then(() => this.#goOn());
  }

  /** Ends the session if it was only waiting for what has just been answered. */
  #isLast(): boolean {
    const why = this.#endAfterAnswer;
    if (!why || this.#isMidway(why)) return false;
    this.end(why);
    return true;
  }

  #goOn(): void {
    if (this.#closing) return;
    this.#waitingFor = undefined;
    this.#socket.resume();
    this.#pump();
  }

  /** Undefined where the peer takes what we write; else resolves when it does again, or is gone. */
  #drained(): Promise<void> | undefined {
    const socket = this.#socket;
    if (!socket.writableNeedDrain) return undefined;
    return new Promise((resolve) => {
      const done = () => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.once('drain', done).once('close', done);
    });
  }

  #flush(): void {
    const bytes = this.#parts.machine.output();
    if (bytes && this.#socket.writable) writeAtTurnEnd(this.#socket, bytes);
  }

  #startTls(): void {
    const { tls: settings, machine } = this.#parts;
    if (!settings) return this.#crash(new Error('TLS was offered without a certificate'));
    this.#waitingFor = 'peer';
    this.#socket.uncork(); // the last words in clear text
    this.#socket.removeAllListeners('data');
    this.#socket.setTimeout(0);
    startServerTls(this.#socket, settings).then(
      ({ socket, tls }) => {
        if (this.#closing) return;
        this.#socket = socket;
        this.#waitingFor = undefined;
        this.#listen(socket);
        machine.tlsStarted(tls);
        this.#pump();
      },
      (error) => {
        this.#parts.log.info({ error: error.message }, 'TLS handshake failed');
        this.#socket.destroy();
      },
    );
  }

  /** A bug: say nothing that could be taken for success. */
  #crash(error: unknown): void {
    this.#parts.log.error({ err: error }, 'internal error in a session; connection closed');
    this.#closing = true;
    this.#socket.destroy();
  }

  #close(): void {
    if (this.#closing) return;
    this.#closing = true;
    const socket = this.#socket;
    socket.resume();
    socket.end();
    socket.setTimeout(0);
    const linger = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(linger));
  }
}
