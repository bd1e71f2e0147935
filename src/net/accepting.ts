/**
 * What becomes of a connection that has come: who it is, behind a proxy by its header; whether it is let in; the handshake, where
 * TLS comes first; then it is a session. Who may come in is not decided here.
 */

import type { Socket } from 'node:net';
import type { Log } from '../util/log.ts';
import type { Peer, TlsInfo } from './machine.ts';
import type { NetworkSet } from './networks.ts';
import { awaitProxyHeader } from './proxied.ts';
import type { ProxyHeader } from './proxy-header.ts';
import type { ServerTls } from './server-context.ts';
import { startServerTls } from './server-handshake.ts';

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

export interface AcceptParts extends Service {
  log: Log;
  /** The path of the Unix socket that it came to, if it was one. */
  socket?: string | undefined;
}

/** Connections of one listener that are no sessions, before another waits for its PROXY header, or hears a last word. */
const maxStrangers = 1000;

/** Takes over a connected socket. `strangers`: those of its listener that are no sessions: still in the handshake, or refused. */
export function accept(socket: Socket, options: AcceptParts, strangers: Set<Socket>): void {
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
  options: AcceptParts & { proxies: NetworkSet },
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
function admit(socket: Socket, peer: Peer, options: AcceptParts, strangers: Set<Socket>): void {
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

/** Whoever opens a Unix socket. */
const here: Peer = { address: 'unix socket', port: 0, localAddress: 'unix socket', localPort: 0 };

function serveHere(socket: Socket, { serve }: AcceptParts): void {
  serve(socket, here, undefined);
}

function peerOf(socket: Socket): Peer | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (!remoteAddress || !remotePort || !localAddress || !localPort) return undefined;
  return { address: plain(remoteAddress), port: remotePort, localAddress: plain(localAddress), localPort };
}

/** A dual-stack socket shows IPv4 as ::ffff:192.0.2.1; everybody else says 192.0.2.1. */
const plain = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address);
