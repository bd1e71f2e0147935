/**
 * The answering side of HTTP/1.1 for connections that a listener has let in: strict (RFC 9112), bounded in size and in time,
 * and knowing of each request who sent it. Node's server parses; it never listens itself. What is answered is for others.
 */

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../util/clock.ts';
import type { OpenSession } from './connection.ts';
import { requestMs } from './http-limits.ts';

export type { IncomingMessage, RequestListener, Server };

/** Octets of a request's header, and its fields. */
export const maxHeaderBytes = 16_384;
export const maxHeaderFields = 100;
/** Then the connection is closed, so that nobody keeps one for good. */
export const maxRequestsPerConnection = 100;
/** Silence between two requests. */
export const keepAliveMs = 5_000;
/** A server that stops lets an answer that is being given go out. */
const lastAnswerMs = 5_000;

export interface HttpServer<Origin> {
  /** For a framework that wants one; it never listens. */
  readonly server: Server;
  /** Who answers all requests from now on. */
  answerWith(answer: RequestListener): void;
  /** Takes over a connected socket, TLS or not. */
  serve(socket: Socket, origin: Origin): OpenSession;
  /** What `serve` was told of the connection that a request came by. */
  originOf(request: IncomingMessage): Origin;
  /** Answers what is asked already; then all who have come must come again. */
  end(): void;
}

export function httpServer<Origin>(clock: Clock): HttpServer<Origin> {
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    keepAliveTimeout: keepAliveMs,
    // We see to that ourselves: Node would go on with what follows.
    requireHostHeader: false,
  });
  server.maxHeadersCount = maxHeaderFields;
  const sessions = new Map<Socket, { session: HttpSession; origin: Origin }>();
  return {
    server,
    answerWith(answer) {
      server.on('request', (request, response) => {
        const session = sessions.get(request.socket)?.session;
        // What was sent on behind the last request is not looked at.
        if (session?.takes(response) !== true) return;
        if (hasOneTarget(request)) return answer(request, response);
        session.isLast(response);
        response.writeHead(400, { 'content-length': 0 }).end();
      });
    },
    serve(socket, origin) {
      const session = new HttpSession(socket, clock);
      sessions.set(socket, { session, origin });
      socket.once('close', () => sessions.delete(socket));
      server.emit('connection', socket);
      return session;
    },
    originOf({ socket }) {
      const found = sessions.get(socket);
      if (!found) throw new Error('a request came by a connection that nobody let in');
      return found.origin;
    },
    end() {
      for (const { session } of sessions.values()) session.end('shutdown');
    },
  };
}

/**
 * Of several hosts we would choose one, and a proxy in front another (RFC 9112 §3.2). An absolute target goes before
 * the host (§3.2.2); what is neither that nor a path is for no server like this one.
 */
function hasOneTarget(request: IncomingMessage): boolean {
  const { rawHeaders, headers, url = '' } = request;
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  const [, host, path = ''] = /^https?:\/\/([^/?#]+)(\/.*)?$/i.exec(url) ?? [];
  if (host !== undefined) {
    headers.host = host;
    request.url = path || '/';
  }
  return hosts.length === 1 && request.url?.startsWith('/') === true;
}

class HttpSession implements OpenSession {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #clock: Clock;
  /** Answers under way. */
  readonly #answers = new Set<ServerResponse>();
  #requests = 0;
  #limitMs = requestMs;
  #cancelLimit = () => {};
  /** Nothing more is taken. */
  #ending = false;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    void this.closed.then(() => this.#cancelLimit());
    this.#limit();
  }

  /** Octet by octet is no faster: the time runs until an answer has gone out. */
  takes(response: ServerResponse): boolean {
    if (this.#ending) return false;
    this.#requests += 1;
    this.#answers.add(response);
    response.once('close', () => {
      this.#answers.delete(response);
      if (!this.#ending) this.#limit();
      else if (this.#answers.size === 0) this.#socket.destroySoon();
    });
    if (this.#requests >= maxRequestsPerConnection) this.isLast(response);
    return true;
  }

  isLast(response: ServerResponse): void {
    this.#ending = true;
    response.shouldKeepAlive = false;
  }

  end(why: 'idle' | 'time' | 'shutdown' | 'revoked'): void {
    if (why !== 'shutdown' || this.#answers.size === 0) return void this.#socket.destroy();
    for (const response of this.#answers) this.isLast(response);
    this.#limit(lastAnswerMs);
  }

  limitIdle(idleMs: number): void {
    this.#limitMs = Math.min(requestMs, idleMs);
    this.#limit();
  }

  #limit(limitMs = this.#limitMs): void {
    this.#cancelLimit();
    this.#cancelLimit = this.#clock.after(limitMs, () => this.#late());
  }

  #late(): void {
    // RFC 9110 §15.5.9; where an answer is under way, nothing else can be said.
    if (this.#answers.size > 0 || !this.#socket.writable) return void this.#socket.destroy();
    this.#socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    this.#socket.destroySoon();
  }
}
