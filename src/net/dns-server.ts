/**
 * A name server for one zone, on UDP and TCP under the same port: the playground's and the tests' piece of the DNS.
 * Moves bytes only; what to answer is in dns/respond.ts. RFC 1035 §4.2, RFC 7766 (TCP: several questions on one
 * connection, idle limits).
 */

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { frame, frameReader } from '../dns/frames.ts';
import { respond } from '../dns/respond.ts';
import type { Zone } from '../dns/zone.ts';

export interface DnsServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Closes both sockets and all connections. */
  close(): Promise<void>;
}

export interface DnsServerOptions {
  address?: string;
  /** 0 takes a free one. */
  port?: number;
  /** TCP connections at once; more are closed at once. */
  maxConnections?: number;
  /** How long a TCP connection may be silent. */
  idleMs?: number;
  /** Where it does not, a connection is closed at once: as behind a firewall that knows DNS as UDP only. */
  takesTcp?: () => boolean;
}

const defaults = { address: '127.0.0.1', port: 0, maxConnections: 64, idleMs: 10_000, takesTcp: () => true };

/** A question is at most a few hundred octets; this leaves room for EDNS options. */
const maxQueryBytes = 4_096;

/** Replies that a TCP client may leave unread before it is cut off. */
const maxUnreadBytes = 1024 * 1024;

/** A port that is free for TCP may be taken for UDP; then the next is tried. */
const maxPortTries = 20;

/** Serves until closed. Rejects when the port is taken or may not be used. */
export async function serveZone(zone: Zone, options: DnsServerOptions = {}): Promise<DnsServer> {
  const settings = { ...defaults, ...options };
  const connections = new Set<Socket>();
  const { udp, tcp, port } = await bindBoth(settings);
  udp.on('message', (query, { address, port }) => {
    const reply = query.length <= maxQueryBytes ? respond(zone, query, 'udp') : undefined;
    if (reply !== undefined) udp.send(reply, port, address);
  });
  // A datagram that cannot be sent is a lost one, which DNS expects: the client asks again.
  udp.on('error', () => {});
  // Nor is a connection that could not be accepted (no file descriptors left) the end of the others.
  tcp.on('error', () => {});
  tcp.maxConnections = settings.maxConnections;
  tcp.on('connection', (socket) => {
    if (!settings.takesTcp()) {
      socket.destroy();
      return;
    }
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    serveConnection(zone, socket, settings.idleMs);
  });

  async function closeAll(): Promise<void> {
    for (const socket of connections) socket.destroy();
    const closed = [once(udp, 'close'), once(tcp, 'close')];
    udp.close();
    tcp.close();
    await Promise.all(closed);
  }
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= closeAll();
    return closing;
  };
  return { address: settings.address, port, close, [Symbol.asyncDispose]: close };
}

function serveConnection(zone: Zone, socket: Socket, idleMs: number): void {
  const queries = frameReader(maxQueryBytes);
  socket.setTimeout(idleMs, () => socket.destroy());
  // The client is gone, and with it all it wanted.
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    for (const query of queries(chunk) ?? [undefined]) {
      const reply = query === undefined ? undefined : respond(zone, query, 'tcp');
      if (reply === undefined || socket.writableLength > maxUnreadBytes) {
        socket.destroy();
        return;
      }
      socket.write(frame(reply));
    }
  });
}

type Bound = { udp: UdpSocket; tcp: Server; port: number };

async function bindBoth({ address, port }: { address: string; port: number }): Promise<Bound> {
  for (let tries = 1; ; tries += 1) {
    const tcp = await listenTcp(address, port);
    const bound = tcp.address();
    const chosen = typeof bound === 'object' && bound !== null ? bound.port : port;
    try {
      return { udp: await bindUdp(address, chosen), tcp, port: chosen };
    } catch (error) {
      tcp.close();
      if (port !== 0 || tries === maxPortTries) throw error;
    }
  }
}

async function listenTcp(address: string, port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, address);
  await once(server, 'listening');
  return server;
}

async function bindUdp(address: string, port: number): Promise<UdpSocket> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}
