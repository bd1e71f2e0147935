/** A listening socket: takes connections within the limits, does implicit TLS, and hands them to a session. */

import { linkSync, renameSync, rmSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../util/log.ts';
import { bufferedBytes, startServerTls } from './connection.ts';
import { connectControl, ignoreAbsence } from './control-socket.ts';
import type { Peer, TlsInfo } from './machine.ts';
import type { NetworkSet } from './networks.ts';
import { awaitProxyHeader } from './proxied.ts';
import type { ProxyHeader } from './proxy-header.ts';
import type { ServerTls } from './server-context.ts';

export type { Socket };

/** Where something listens. */
export interface Place {
  address: string;
  /** 0 lets the system choose. */
  port: number;
  /** A Unix socket instead, by its path: who may open it is as the directory says, and is let in. */
  socket?: string | undefined;
}

/** How connections are served. */
export interface Service {
  /** TLS from the first octet. */
  implicitTls?: ServerTls | undefined;
  /** Every connection comes by a proxy in one of these networks, and begins with its header: before TLS, and before limits. */
  proxies?: NetworkSet | undefined;
  /** Lets a client in, or says what it is told before its connection is closed, as the protocol says it. */
  enter(peer: Peer): { leave(): void; refusal?: never } | { refusal: string };
  serve(socket: Socket, peer: Peer, tls: TlsInfo | undefined): void;
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

/** Connections of one listener that are no sessions, before another waits for its PROXY header, or hears a last word. */
const maxStrangers = 1000;

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

function accept(socket: Socket, options: ListenerOptions, strangers: Set<Socket>): void {
  if (options.socket !== undefined) return serveHere(socket, options);
  const peer = peerOf(socket);
  if (!peer) {
    socket.destroy(); // gone before we looked
    return;
  }
  if (options.proxies) void acceptProxied(socket, peer, { ...options, proxies: options.proxies }, strangers);
  else admit(socket, peer, options, strangers);
}

/** Until its header is read, a connection is nobody's: it is counted apart, and hears nothing. */
async function acceptProxied(
  socket: Socket,
  proxy: Peer,
  options: ListenerOptions & { proxies: NetworkSet },
  strangers: Set<Socket>,
): Promise<void> {
  const { proxies, log } = options;
  const refuse = (why: string) => {
    log.warn({ client: proxy.address, port: proxy.localPort }, `connection refused: ${why}`);
    socket.destroy();
  };
  if (!proxies(proxy.address)) return refuse('only the proxies of this listener may use it (proxyProtocol)');
  if (strangers.size >= maxStrangers) return refuse('too many wait for their PROXY header');
  strangers.add(socket);
  socket.once('close', () => strangers.delete(socket));
  socket.on('error', () => socket.destroy());
  try {
    const peer = peerBehind(proxy, await awaitProxyHeader(socket));
    strangers.delete(socket);
    admit(socket, peer, options, strangers);
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
  }
}

function peerBehind(proxy: Peer, header: ProxyHeader): Peer {
  const { address } = proxy;
  if (header.client === undefined) return { ...proxy, proxy: { address, speaksFor: 'nobody' } };
  const { client, ours } = header;
  const end = { localAddress: ours.address, localPort: ours.port };
  return { ...client, ...end, proxy: { address, speaksFor: 'client' } };
}

/** Who is let in becomes a session, after the handshake where TLS comes first. */
function admit(socket: Socket, peer: Peer, options: ListenerOptions, strangers: Set<Socket>): void {
  const { enter, implicitTls, log, serve } = options;
  const entry = enter(peer);
  // Before TLS there is no language to say it in.
  if (entry.refusal !== undefined) return sendAway(socket, implicitTls ? '' : entry.refusal, strangers);
  if (implicitTls) {
    strangers.add(socket);
    socket.once('close', () => strangers.delete(socket));
  }
  socket.once('close', entry.leave);
  if (!implicitTls) {
    serve(socket, peer, undefined);
    if (peer.proxy) socket.resume(); // what came with the header
    return;
  }
  shakeHands(socket, implicitTls).then(
    (shaken) => {
      strangers.delete(socket);
      if (shaken !== undefined) serve(shaken.socket, peer, shaken.tls);
    },
    (error) => {
      // A proxy that looks whether we are here says no more than that.
      const level = peer.proxy?.speaksFor === 'nobody' ? 'debug' : 'info';
      log[level]({ client: peer.address, error: error.message }, 'TLS handshake failed');
      socket.destroy();
    },
  );
}

/** Undefined where it was an authority that wanted to see whether a name is ours. */
async function shakeHands(
  socket: Socket,
  tls: ServerTls,
): Promise<Awaited<ReturnType<typeof startServerTls>> | undefined> {
  if (tls.challenges?.isAwaited && (await tls.challenges.answered(socket))) return undefined;
  return startServerTls(socket, tls);
}

/** In a flood some are not told why: each that hears its last word takes up a connection so long. */
function sendAway(socket: Socket, lastWord: string, strangers: Set<Socket>): void {
  if (lastWord === '' || strangers.size >= maxStrangers) return void socket.destroy();
  strangers.add(socket);
  socket.once('close', () => strangers.delete(socket));
  socket.on('error', () => socket.destroy());
  socket.end(lastWord);
  socket.setTimeout(1000, () => socket.destroy());
}

const placeOf = ({ socket, address, port }: Place) =>
  socket === undefined ? { host: address, port } : { path: socket, readableAll: true, writableAll: true };

function placeFound(server: Server, { socket }: Place): { address: string; port: number } {
  if (socket !== undefined) return { address: socket, port: 0 };
  return server.address() as AddressInfo; // a TCP server that listens has one
}

/** Whoever opens a Unix socket. */
const here: Peer = { address: 'unix socket', port: 0, localAddress: 'unix socket', localPort: 0 };

function serveHere(socket: Socket, { serve }: ListenerOptions): void {
  serve(socket, here, undefined);
}

/** A socket that a dead process left behind goes; one that somebody answers on is in use. */
async function makeRoom(path: string): Promise<void> {
  const living = await connectControl(path);
  if (living === undefined) return unlink(path).catch(ignoreAbsence);
  living.close();
  throw Object.assign(new Error(`another server listens at ${path}`), { code: 'EADDRINUSE', address: path });
}

function peerOf(socket: Socket): Peer | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (!remoteAddress || !remotePort || !localAddress || !localPort) return undefined;
  return { address: plain(remoteAddress), port: remotePort, localAddress: plain(localAddress), localPort };
}

/** A dual-stack socket shows IPv4 as ::ffff:192.0.2.1; everybody else says 192.0.2.1. */
const plain = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address);
