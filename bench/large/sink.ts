/**
 * A receiving SMTP server in a process of its own that keeps nothing: of each letter's body it prints the SHA-256, as
 * it came over the wire (`{"number", "hash"}`, a line each). Argument: the port.
 */

import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { numberIn } from './envelope.ts';

const endOfHeader = Buffer.from('\r\n\r\n');
const endOfData = Buffer.from('\r\n.\r\n');

/** Splits a message's octets where they say, whatever the pieces are that they come in. */
type Phase = 'commands' | 'header' | 'body';

class Receiver {
  readonly #socket: Socket;
  #phase: Phase = 'commands';
  #rest: Buffer = Buffer.alloc(0);
  #number: number | undefined;
  #hash = createHash('sha256');

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.write('220 sink.example.net ESMTP\r\n');
  }

  receive(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#step());
  }

  #step(): boolean {
    if (this.#phase === 'commands') return this.#command();
    return this.#phase === 'header' ? this.#header() : this.#body();
  }

  #command(): boolean {
    const line = this.#take(Buffer.from('\r\n'));
    if (line === undefined) return false;
    const verb = line.toString('latin1').slice(0, 4).toUpperCase();
    if (verb === 'DATA') this.#phase = 'header';
    if (verb === 'QUIT') this.#socket.end('221 2.0.0 Bye\r\n');
    else this.#socket.write(answerTo(verb));
    return true;
  }

  #header(): boolean {
    const header = this.#take(endOfHeader);
    if (header === undefined) return false;
    this.#number = numberIn(header.toString('latin1'));
    this.#hash = createHash('sha256');
    this.#phase = 'body';
    return true;
  }

  /** Holds back what could be the beginning of the end. The body's last CRLF is its own and the end's first. */
  #body(): boolean {
    const body = this.#take(endOfData);
    if (body === undefined) {
      const safe = Math.max(0, this.#rest.length - endOfData.length);
      this.#hash.update(this.#rest.subarray(0, safe));
      this.#rest = this.#rest.subarray(safe);
      return false;
    }
    const hash = this.#hash.update(body).update('\r\n').digest('hex');
    console.log(JSON.stringify({ number: this.#number, hash }));
    this.#socket.write('250 2.0.0 Taken\r\n');
    this.#phase = 'commands';
    return true;
  }

  /** What comes before `end`, both taken; undefined as long as it is not there. */
  #take(end: Buffer): Buffer | undefined {
    const at = this.#rest.indexOf(end);
    if (at < 0) return undefined;
    const taken = this.#rest.subarray(0, at);
    this.#rest = this.#rest.subarray(at + end.length);
    return taken;
  }
}

function answerTo(verb: string): string {
  if (verb === 'EHLO')
    return '250-sink.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1073741824\r\n';
  return verb === 'DATA' ? '354 Go ahead\r\n' : '250 2.0.0 Ok\r\n';
}

const server = createServer((socket) => {
  const receiver = new Receiver(socket);
  socket.on('error', () => {}); // The server under test may break off; what did not arrive is missed later.
  socket.on('data', (chunk: Buffer) => receiver.receive(chunk));
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
