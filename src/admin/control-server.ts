/**
 * The server's end of the control socket: performs what commands ask, one request after the other on each connection.
 * Whoever can open the one in the data directory owns that, and may do everything; others have a role (roles.ts).
 */

import { dirname } from 'node:path';
import * as v from 'valibot';
import { ConfigError } from '../config/problem.ts';
import { type ControlConnection, listenControl } from '../net/control-socket.ts';
import { isDiskFull, StoreBrokenError, StoreFullError } from '../store/errors.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';
import { workingEveryMs } from './answer-watch.ts';
import {
  type Answer,
  isOperation,
  maxAnswerLine,
  maxRequestLine,
  operations,
  requestSchema,
  working,
} from './control-protocol.ts';
import { encodeFrame, type Frame, FrameError, readFrames } from './frames.ts';
import { demandRole, type Role } from './roles.ts';

export interface ControlServerParts {
  /** Of the socket file: `<dataDir>/control.sock`. */
  path: string;
  /** What those may do who can open it. Default: `admin`. */
  role?: Role;
  /** A group that may open it, by number. Default: only our own user may. */
  group?: number;
  /** Asked for each request: a reload makes another one. */
  admin(): Admin;
  /** Longest message that `send` takes. */
  maxContentBytes(): number;
  log: Log;
  clock?: Clock;
}

/** When the server stops, a command gets so long for the answer that is under way, and for reading it. */
export const lastAnswerMs = 5_000;

export interface ControlServer {
  /**
   * Finishes the requests that are under way, as far as `lastAnswerMs` goes, then closes all connections and removes the
   * socket file.
   */
  stop(): Promise<void>;
}

export async function startControlServer(parts: ControlServerParts): Promise<ControlServer> {
  const sessions = new Set<Session>();
  const serve = (connection: ControlConnection) => {
    const session = new Session(connection, parts);
    sessions.add(session);
    void session.finished.then(() => sessions.delete(session)); // it never rejects
  };
  const listener = await listenControl(parts.path, serve, parts.group);
  return {
    async stop() {
      const closed = listener.close();
      for (const session of sessions) session.stop();
      await Promise.all([...sessions].map(({ finished }) => finished));
      await closed;
    },
  };
}

class Session {
  /** Never rejects. */
  readonly finished: Promise<void>;
  readonly #connection: ControlConnection;
  readonly #parts: ControlServerParts;
  readonly #gone = new AbortController();
  #busy = false;
  #stopping = false;

  constructor(connection: ControlConnection, parts: ControlServerParts) {
    this.#connection = connection;
    this.#parts = parts;
    this.finished = this.#run();
  }

  stop(): void {
    this.#stopping = true;
    if (!this.#busy) return this.#connection.close();
    const { clock = systemClock } = this.#parts;
    const cancel = clock.after(lastAnswerMs, () => this.#connection.close());
    void this.finished.then(cancel);
  }

  async #run(): Promise<void> {
    const limits = { lineBytes: maxRequestLine, contentBytes: this.#parts.maxContentBytes() };
    try {
      for await (const frame of readFrames(this.#connection.chunks, limits)) {
        this.#busy = true;
        await this.#write(await this.#answer(frame));
        this.#busy = false;
        if (this.#stopping) break;
      }
    } catch (error) {
      await this.#giveUp(error);
    } finally {
      this.#connection.close();
      this.#gone.abort();
    }
  }

  async #answer({ value, content }: Frame): Promise<Answer> {
    const parsed = v.safeParse(requestSchema, value);
    if (!parsed.success || !isOperation(parsed.output.operation)) {
      return {
        error: {
          code: 'bad-request',
          message: 'The server does not know this request. Is it of another version?',
        },
      };
    }
    const { operation, request, tellWorking } = parsed.output;
    const stopTelling = tellWorking ? this.#tellWorking() : undefined;
    try {
      demandRole(this.#parts.role ?? 'admin', operation, request);
      const result = await operations[operation](
        this.#parts.admin(),
        content === undefined ? request : { ...request, content },
        this.#gone.signal,
      );
      return { result };
    } catch (error) {
      if (error instanceof AdminError) return { error: { code: error.code, message: error.message } };
      if (error instanceof ConfigError) return { error: { code: 'config', message: error.message } };
      this.#parts.log.error({ err: error, operation }, 'control request failed');
      return { error: failureOf(error, dirname(this.#parts.path)) };
    } finally {
      stopTelling?.();
    }
  }

  /** A command gives up a server that says nothing, and an operation may take long. */
  #tellWorking(): () => void {
    const { clock = systemClock, log } = this.#parts;
    const tell = () => {
      cancel = clock.after(workingEveryMs, tell);
      this.#connection.write(encodeFrame({ value: working })).catch((lost) => {
        log.debug({ err: lost }, 'control connection broke');
      });
    };
    let cancel = clock.after(workingEveryMs, tell);
    return () => cancel();
  }

  async #write(answer: Answer): Promise<void> {
    const frame = encodeFrame({ value: answer });
    if (frame.length <= maxAnswerLine) return this.#connection.write(frame);
    const error = {
      code: 'bad-request' as const,
      message: 'The answer is too long. Ask for less, by --limit or a filter.',
    };
    return this.#connection.write(encodeFrame({ value: { error } }));
  }

  /** A client that vanished is no event; one that talks nonsense is told so. */
  async #giveUp(error: unknown): Promise<void> {
    if (!(error instanceof FrameError)) {
      this.#parts.log.debug({ err: error }, 'control connection broke');
      return;
    }
    const answer = {
      error: { code: 'bad-request', message: `The server does not understand: ${error.message}.` },
    };
    await this.#connection.write(encodeFrame({ value: answer })).catch((lost) => {
      this.#parts.log.debug({ err: lost }, 'control connection broke');
    });
  }
}

/** What a command is told of an error that is not for it. */
function failureOf(error: unknown, dataDir: string): Extract<Answer, { error: unknown }>['error'] {
  if (error instanceof StoreFullError || isDiskFull(error))
    return { code: 'disk', message: `The disk of ${dataDir} is full. Make room there, then try again.` };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof StoreBrokenError)
    return { code: 'disk', message: `${message}. The server stops. Look at the disk of ${dataDir}.` };
  return { code: 'internal', message: `${message}. The server's log has the details.` };
}
