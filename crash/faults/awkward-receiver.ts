/**
 * A receiving server that behaves well but for one moment of the dialogue, at which it does something awkward: cut the
 * line, or let its reply trickle. RFC 5321, without TLS; PIPELINING only where asked for.
 */

import { createServer, type Socket } from 'node:net';
import type { World } from '../../e2e/world.ts';

/** When it has something to say: the greeting, or the reply to one of these. In the middle of the data it has not. */
export type Moment = 'greeting' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'middle' | 'dot';

export interface AwkwardOptions {
  address: string;
  port: number;
  pipelining: boolean;
  /** Told of each moment; true where it has taken the connection over, and nothing more is to be said there. */
  interfere(moment: Moment, socket: Socket, reply: string): boolean;
}

export interface AwkwardReceiver {
  /** Messages whose final dot came, whatever was answered, as text. */
  readonly messages: readonly string[];
}

export async function startAwkwardReceiver(world: World, options: AwkwardOptions): Promise<AwkwardReceiver> {
  const messages: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // The client may go at any moment; 'close' follows.
    socket.once('close', () => sockets.delete(socket));
    converse(socket, options, (message) => messages.push(message));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.address, resolve);
  });
  world.atEnd(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { messages };
}

function converse(socket: Socket, options: AwkwardOptions, keep: (message: string) => void): void {
  let unread = '';
  let data: string | undefined;
  let over = false;
  /** Says the reply of a moment, unless something else happens at it. */
  const pass = (moment: Moment, reply: string) => {
    if (over) return;
    over = options.interfere(moment, socket, reply);
    if (!over) socket.write(reply);
  };
  const command = (line: string) => {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO') pass('EHLO', ehloReply(options));
    else if (verb === 'MAIL') pass('MAIL', '250 2.1.0 Ok\r\n');
    else if (verb === 'RCPT') pass('RCPT', '250 2.1.5 Ok\r\n');
    else if (verb === 'QUIT') socket.end('221 2.0.0 Bye\r\n');
    else if (verb === 'DATA') {
      pass('DATA', '354 Go ahead\r\n');
      data = '';
    } else socket.write('250 2.0.0 Ok\r\n');
  };
  const content = (line: string) => {
    if (line !== '.') {
      if (data === '') pass('middle', '');
      data += `${line}\r\n`;
      return;
    }
    if (!over) keep(data ?? '');
    data = undefined;
    pass('dot', '250 2.0.0 Taken\r\n');
  };
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    const lines = (unread + chunk).split('\r\n');
    unread = lines.pop() ?? '';
    for (const line of lines)
      if (data === undefined) command(line);
      else content(line);
  });
  pass('greeting', '220 awkward.example ESMTP\r\n');
}

function ehloReply({ pipelining }: AwkwardOptions): string {
  return `250-awkward.example\r\n${pipelining ? '250-PIPELINING\r\n' : ''}250 8BITMIME\r\n`;
}
