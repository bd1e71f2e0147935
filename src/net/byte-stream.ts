/**
 * Octets to and from a filter (filter/stream.ts) over TCP or a Unix socket: dialling, limits of time, back-pressure in both
 * directions. Knows nothing of what is said. Nothing is encrypted: a filter runs on the same machine, or the same network.
 */

import { connect, type Socket } from 'node:net';
import {
  FilterError,
  type FilterFailure,
  type FilterPlace,
  type FilterStream,
  type OpenFilterStream,
} from '../filter/stream.ts';
import type { Clock } from '../util/clock.ts';

/** Once so many octets wait unread, the other side has to wait. */
const maxUnreadBytes = 65_536;

export function filterDialler(clock: Clock): OpenFilterStream {
  return async (place, timeoutMs) => {
    const stream = new SocketStream(connectTo(place), clock);
    await stream.connected(timeoutMs, placeText(place));
    return stream;
  };
}

/** A socket on its way to there. */
export const connectTo = (place: FilterPlace): Socket =>
  'socket' in place ? connect({ path: place.socket }) : connect({ ...place, noDelay: true });

export const placeText = (place: FilterPlace): string =>
  'socket' in place ? place.socket : `${place.host} port ${place.port}`;

class SocketStream implements FilterStream {
  readonly #socket: Socket;
  readonly #clock: Clock;
  #unread: Buffer[] = [];
  #unreadBytes = 0;
  #failure: FilterError | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    const fail = (message: string, cause?: unknown) => this.#fail('down', message, cause);
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('connect', () => this.#wake?.());
    socket.on('drain', () => this.#wake?.());
    socket.on('error', (error) => fail(error.message, error));
    socket.on('end', () => fail('it closed the connection'));
    socket.on('close', () => fail('the connection was closed'));
  }

  async connected(timeoutMs: number, where: string): Promise<void> {
    const isOpen = () => this.#socket.readyState === 'open' || undefined;
    await this.#until(isOpen, timeoutMs, `connection to ${where}`);
  }

  get hasInput(): boolean {
    return this.#unreadBytes > 0;
  }

  async write(pieces: readonly Buffer[], timeoutMs: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
    // Who has no room for more may be waiting for us to hear what it says.
    // A socket that has failed needs no drain either.
    const hasRoom = () => this.#failure === undefined && !this.#socket.writableNeedDrain;
    const mayGoOn = () => this.hasInput || hasRoom() || undefined;
    if (this.#socket.writableNeedDrain) await this.#until(mayGoOn, timeoutMs, 'room for more');
  }

  async read(timeoutMs: number): Promise<Buffer> {
    await this.#until(() => this.hasInput || undefined, timeoutMs, 'answer');
    const bytes = Buffer.concat(this.#unread);
    this.#unread = [];
    this.#unreadBytes = 0;
    this.#socket.resume();
    return bytes;
  }

  close(): void {
    this.#failure ??= new FilterError('down', 'we closed the connection');
    this.#socket.destroy();
    this.#wake?.();
  }

  #receive(bytes: Buffer): void {
    this.#unread.push(bytes);
    this.#unreadBytes += bytes.length;
    if (this.#unreadBytes >= maxUnreadBytes) this.#socket.pause();
    this.#wake?.();
  }

  #fail(kind: FilterFailure, message: string, cause?: unknown): void {
    this.#failure ??= new FilterError(kind, message, cause);
    this.#socket.destroy();
    this.#wake?.();
  }

  /** Waits until `look` finds something. What has come before a failure is found first. One waits at a time. */
  #until(look: () => true | undefined, timeoutMs: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let cancel: (() => void) | undefined;
      const settle = (finish: () => void) => {
        cancel?.();
        this.#wake = undefined;
        finish();
      };
      const wake = () => {
        if (look()) settle(resolve);
        else if (this.#failure !== undefined) settle(() => reject(this.#failure));
      };
      this.#wake = wake;
      wake();
      if (this.#wake === undefined) return;
      cancel = this.#clock.after(timeoutMs, () =>
        this.#fail('timeout', `no ${what} within ${timeoutMs / 1000} s`),
      );
    });
  }
}
