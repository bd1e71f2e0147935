/**
 * A server that runs until it is told to stop, or has handed over to another process: that one is started with the listening
 * sockets, says that its configuration is good, and waits; then this one lets its sessions and deliveries end, and closes the
 * store. What connects meanwhile waits, and is given on. Where the other one fails, this one opens the store again and goes on.
 */

import { AdminError } from '../admin/admin-error.ts';
import type { Config } from '../config/config.ts';
import { passedSockets } from '../net/passed-sockets.ts';
import { type ServiceState, tellServiceManager } from '../net/service-manager.ts';
import { Successor } from '../net/successor.ts';
import { reassureWatchdog } from '../net/watchdog.ts';
import type { RunningServer, startServer } from '../server.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Doors, OpenAlready } from '../wiring/places.ts';
import { withinStopLimit } from './stop-limit.ts';
import type { Terminal } from './terminal.ts';

export interface ServingParts {
  terminal: Terminal;
  config: Config;
  log: Log;
  clock: Clock;
  readConfig(): Promise<Config>;
  startServer: typeof startServer;
}

/** For the new process to open the store, whatever has to be done in it first, and to serve. */
const takeOverMs = 10 * 60_000;

export class Serving {
  readonly #parts: ServingParts;
  #server: RunningServer | undefined;
  #handing: Promise<void> | undefined;
  #endWatch = (): void => {};
  /** Somebody else serves. */
  #successor: Successor | undefined;
  readonly #over = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<Error>();

  private constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  static async start(parts: ServingParts): Promise<Serving> {
    const { origin } = parts.terminal;
    const serving = new Serving(parts);
    const { predecessor, passed = 0 } = origin ?? {};
    const server = await serving.#open(parts.config, { passed: await passedSockets(passed) });
    if (predecessor) predecessor.onClient = (place, socket) => server.welcome(place, socket);
    predecessor?.ready();
    await serving.#tell(...(predecessor && origin ? [`MAINPID=${origin.pid}` as const] : []), 'READY=1');
    serving.#watch();
    return serving;
  }

  async reload(): Promise<void> {
    await this.#server?.reload();
  }

  /** Resolves when the new process is there, and its configuration is good. The rest goes on by itself, and the log tells of it. */
  async handOver(): Promise<{ pid: number }> {
    const { log } = this.#parts;
    try {
      const successor = await this.#startSuccessor();
      this.#handing = this.#give(successor).finally(() => {
        this.#handing = undefined;
      });
      return { pid: successor.pid };
    } catch (error) {
      log.error({ err: error }, 'cannot hand over: this server goes on');
      throw error;
    }
  }

  /** Resolves when the server has stopped, by its signal or because another process has taken over; rejects when the store broke. */
  async untilStopped(signal: AbortSignal): Promise<void> {
    const failure = await Promise.race([this.#failed.promise, this.#over.promise, aborted(signal)]);
    await this.#handing;
    this.#endWatch();
    if (this.#successor) {
      if (signal.aborted) this.#successor.stop();
      return;
    }
    await this.#tell('STOPPING=1');
    await withinStopLimit(this.#server?.stop() ?? Promise.resolve(), this.#parts.clock);
    if (failure instanceof Error) throw failure;
  }

  async #open(config: Config, open: OpenAlready): Promise<RunningServer> {
    const { log, readConfig, terminal, startServer } = this.#parts;
    const pid = terminal.origin?.pid ?? 0;
    const process = {
      handOver: () => this.handOver(),
      whoRuns: async () => ({ pid, isHandingOver: this.#handing !== undefined }),
    };
    const server = await startServer({ config, log, readConfig, open, process });
    void server.failed.then((error) => this.#server === server && this.#failed.resolve(error));
    this.#server = server;
    return server;
  }

  async #startSuccessor(): Promise<Successor> {
    const { origin, env } = this.#parts.terminal;
    const server = this.#server;
    if (origin === undefined || server === undefined || this.#handing)
      throw new AdminError(
        'in-use',
        'The server is handing over already, or has not begun. Look at its log.',
      );
    if (origin.pid === 1)
      throw new AdminError(
        'refused',
        'This server is process 1 of its container, which ends with it: nothing can take over from it. Restart the container.',
      );
    const sockets = [...server.doors.values()].map(({ fd }) => fd);
    const successor = new Successor({ command: origin.command, env, sockets });
    await successor.checked().catch((error: Error) => {
      throw new AdminError('config', `The new process did not begin: ${error.message}`);
    });
    return successor;
  }

  /** Never rejects. */
  async #give(successor: Successor): Promise<void> {
    const { log, clock } = this.#parts;
    const server = this.#server;
    if (server === undefined) return;
    const { doors, config } = server;
    log.info({ to: successor.pid }, 'handing over: sessions and deliveries come to their end');
    try {
      await withinStopLimit(server.standAside(), clock);
      await successor.takeOver(takeOverMs);
    } catch (error) {
      log.error({ err: error }, 'the new process has failed: this one opens the store again, and goes on');
      return this.#goOn(config, doors);
    }
    for (const door of doors.values()) door.leave();
    for (const [place, door] of doors)
      for (const socket of door.takeWaiting()) await successor.give(place, socket);
    successor.leave();
    log.info({ to: successor.pid }, 'handed over');
    this.#successor = successor;
    this.#over.resolve();
  }

  /** As before: whatever the file says now, it was of no use. */
  async #goOn(config: Config, doors: Doors): Promise<void> {
    try {
      await this.#open(config, { doors });
    } catch (error) {
      this.#failed.resolve(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #tell(...states: ServiceState[]): Promise<void> {
    const { terminal, clock, log } = this.#parts;
    if (terminal.origin)
      await tellServiceManager({ env: terminal.env, pid: terminal.origin.pid, clock, log }, ...states);
  }

  #watch(): void {
    const { terminal, clock, log } = this.#parts;
    if (terminal.origin === undefined) return;
    const { pid, predecessor } = terminal.origin;
    const isSuccessor = predecessor !== undefined;
    this.#endWatch = reassureWatchdog({ env: terminal.env, pid, clock, log, isSuccessor });
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
