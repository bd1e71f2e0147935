/**
 * A listening socket: bound by us or passed on to us, held while the server is handed over. What becomes of a connection that has
 * come is in accepting.ts, and how it is served may change while this listens.
 */

import { linkSync, renameSync, rmSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../util/log.ts';
import { accept, type Service } from './accepting.ts';
import { bufferedBytes } from './buffered-bytes.ts';
import { connectControl, ignoreAbsence } from './control-socket.ts';

export type { Socket };

/** Where something listens. */
export interface Place {
  address: string;
  /** 0 lets the system choose. */
  port: number;
  /** A Unix socket instead, by its path: who may open it is as the directory says, and is let in. */
  socket?: string | undefined;
}

export interface ListenerOptions extends Place, Service {
  log: Log;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** Of the listening socket, in this process. */
  readonly fd: number;
  /** From now on connections are served so, and those that came before there was anybody to serve them. */
  serveBy(service: Service): void;
  /** From now on connections wait, unread, until they are served or taken away. */
  hold(): void;
  /** Those that wait, for another process that serves them. */
  takeWaiting(): Socket[];
  /** One that another process has taken. */
  welcome(socket: Socket): void;
  /** Stops listening at once; resolves when every connection is gone. To end the sessions is their business. */
  close(): Promise<void>;
  /** The same, but who is in the middle of a handshake is not sent away. */
  retire(): Promise<void>;
  /** Stops listening at once, for another process listens at the same socket: the path of a Unix socket stays. */
  leave(): void;
}

/** Connections that the kernel holds for us. */
const backlog = 1024;

/** Connections that nobody serves yet, while the server starts or is handed over. */
const maxWaiting = 1000;

/** Starts listening; rejects with the system's error (EADDRINUSE, EACCES, …). */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const listener = await bind(options);
  listener.serveBy(options);
  return listener;
}

/** The same, but nobody is served yet. `passed`: a socket that listens there already, by its number in this process. */
export async function bind(options: Place & { log: Log; passed?: number | undefined }): Promise<Listener> {
  if (options.socket !== undefined && options.passed === undefined) await makeRoom(options.socket);
  const door = new ListeningDoor(options);
  await door.open(options.passed);
  return door;
}

/**
 * A client may close its side after its last command and still wait for the answers (RFC 9293 §3.6). Nothing is read before
 * somebody serves it: what was read could not be given on to another process.
 */
const streams = { noDelay: true, keepAlive: true, allowHalfOpen: true, pauseOnConnect: true };

class ListeningDoor implements Listener {
  readonly #options: Place & { log: Log };
  readonly #server: Server;
  /** Connections that are no sessions: still in the handshake, or refused. */
  readonly #strangers = new Set<Socket>();
  /** They wait for somebody to serve them; nothing is read of them. */
  readonly #waiting = new Set<Socket>();
  #found: { address: string; port: number };
  #service: Service | undefined;

  constructor(options: Place & { log: Log }) {
    const { address, port } = options;
    this.#options = options;
    this.#found = { address, port };
    this.#server = createServer({ ...streams, highWaterMark: bufferedBytes }, (socket) =>
      this.welcome(socket),
    );
  }

  get address(): string {
    return this.#found.address;
  }

  get port(): number {
    return this.#found.port;
  }

  get fd(): number {
    // Not in Node's types: a server that listens has its descriptor there, on every system but Windows.
    return (this.#server as Server & { _handle: { fd: number } })._handle.fd;
  }

  open(passed: number | undefined): Promise<void> {
    const server = this.#server;
    const place = passed === undefined ? placeOf(this.#options) : { fd: passed };
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...place, backlog }, () => {
        server.off('error', reject);
        this.#found = placeFound(server, this.#options);
        resolve();
      });
      server.on('error', (error) => this.#options.log.error({ err: error }, 'listener error'));
    });
  }

  serveBy(service: Service): void {
    this.#service = service;
    for (const socket of this.takeWaiting()) this.welcome(socket);
  }

  hold(): void {
    this.#service = undefined;
  }

  takeWaiting(): Socket[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const socket of waiting) socket.off('error', destroy);
    return waiting;
  }

  welcome(socket: Socket): void {
    socket.allowHalfOpen = true; // of another process, it comes without
    if (this.#service === undefined) return this.#wait(socket);
    const { implicitTls, proxies } = this.#service;
    if (proxies || !implicitTls) socket.resume(); // TLS reads for itself
    accept(socket, { ...this.#options, ...this.#service }, this.#strangers);
  }

  close(): Promise<void> {
    for (const socket of this.#strangers) socket.destroy();
    return this.retire();
  }

  retire(): Promise<void> {
    for (const socket of this.#waiting) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  leave(): void {
    const { socket: path } = this.#options;
    if (path === undefined) return void this.#server.close();
    // The system's path goes with whoever has made it; this name of the same file takes its place.
    const kept = `${path}.kept`;
    rmSync(kept, { force: true });
    linkSync(path, kept);
    this.#server.close();
    renameSync(kept, path);
  }

  #wait(socket: Socket): void {
    if (this.#waiting.size >= maxWaiting) return void socket.destroy();
    socket.on('error', destroy);
    socket.once('close', () => this.#waiting.delete(socket));
    this.#waiting.add(socket);
  }
}

function destroy(this: Socket): void {
  this.destroy();
}

const placeOf = ({ socket, address, port }: Place) =>
  socket === undefined ? { host: address, port } : { path: socket, readableAll: true, writableAll: true };

function placeFound(server: Server, { socket }: Place): { address: string; port: number } {
  if (socket !== undefined) return { address: socket, port: 0 };
  return server.address() as AddressInfo; // a TCP server that listens has one
}

/** A socket that a dead process left behind goes; one that somebody answers on is in use. */
async function makeRoom(path: string): Promise<void> {
  const living = await connectControl(path);
  if (living === undefined) return unlink(path).catch(ignoreAbsence);
  living.close();
  throw Object.assign(new Error(`another server listens at ${path}`), { code: 'EADDRINUSE', address: path });
}
