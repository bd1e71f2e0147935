/**
 * A receiving SMTP server that takes everything and remembers the octets as they came: the witness of what our
 * server really sends. RFC 5321 in as few lines as it takes, without TLS.
 */

import { createServer, type Server, type Socket } from 'node:net';
import type { World } from '../world.ts';

export interface Received {
  reversePath: string;
  recipients: string[];
  /** As on the wire, without the end-of-data line, dots still stuffed. */
  wire: Buffer;
  /** The message: dots unstuffed. */
  content: Buffer;
  /** performance.now() when its end of data was seen. */
  at: number;
}

export interface Sink {
  readonly port: number;
  readonly received: readonly Received[];
}

const endOfData = Buffer.from('\r\n.\r\n');
const extensions = ['sink.example.net', 'PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE 1073741824'];

export interface SinkOptions {
  /** The end of data is answered after this long: time for something to happen in between. */
  replyDelayMs?: number;
  /** Default: a free one. */
  port?: number;
  /** Gets each message instead of `received`: of many messages, not all octets can be kept. */
  keep?: (message: Received) => void;
}

export async function startSink(world: World, options: SinkOptions = {}): Promise<Sink> {
  const received: Received[] = [];
  const keep = options.keep ?? ((message) => received.push(message));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {}); // The client may go at any moment; 'close' follows.
    converse(socket, options.replyDelayMs ?? 0, keep);
  });
  const port = await listen(server, options.port ?? (await world.port()));
  world.atEnd(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port, received };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(port));
  });
}

function converse(socket: Socket, replyDelayMs: number, keep: (message: Received) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  let envelope = newEnvelope();
  let inData = false;

  const takeData = (): boolean => {
    // The CRLF of the DATA command itself may begin the end of an empty message.
    const end = rest.indexOf(endOfData);
    if (end < 0) return false;
    const wire = rest.subarray(2, end + 2);
    keep({ ...envelope, wire, content: unstuff(wire), at: performance.now() });
    rest = rest.subarray(end + endOfData.length);
    inData = false;
    envelope = newEnvelope();
    setTimeout(() => socket.write('250 2.0.0 Taken\r\n'), replyDelayMs);
    return true;
  };

  const takeLine = (): boolean => {
    const end = rest.indexOf('\r\n');
    if (end < 0) return false;
    const line = rest.subarray(0, end).toString();
    rest = rest.subarray(end + 2);
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'MAIL') envelope = { reversePath: pathIn(line), recipients: [] };
    if (verb === 'RCPT') envelope.recipients.push(pathIn(line));
    if (verb === 'DATA') {
      inData = true;
      rest = Buffer.concat([Buffer.from('\r\n'), rest]);
    }
    if (verb === 'QUIT') socket.end('221 2.0.0 Bye\r\n');
    else socket.write(answer(verb));
    return true;
  };

  socket.write('220 sink.example.net ESMTP\r\n');
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (inData ? takeData() : takeLine());
  });
}

const newEnvelope = () => ({ reversePath: '', recipients: [] as string[] }); // Typed, or it would be never[].

const pathIn = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? '';

function answer(verb: string): string {
  if (verb === 'DATA') return '354 Go ahead\r\n';
  if (verb !== 'EHLO') return '250 2.0.0 Ok\r\n';
  const last = extensions.length - 1;
  return extensions.map((line, index) => `250${index < last ? '-' : ' '}${line}\r\n`).join('');
}

/** RFC 5321 §4.5.2. Octets are one character each in latin1. */
function unstuff(wire: Buffer): Buffer {
  return Buffer.from(wire.toString('latin1').replace(/^\./, '').replaceAll('\r\n.', '\r\n'), 'latin1');
}
