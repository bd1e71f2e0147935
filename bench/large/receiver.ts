/**
 * The receiving side of an SMTP connection that keeps nothing: it answers commands, and of each letter's body it tells the
 * SHA-256, as it came over the wire. In as few lines as it takes; knows no sockets.
 */

import { createHash } from 'node:crypto';
import { numberIn } from './envelope.ts';

const endOfHeader = Buffer.from('\r\n\r\n');
const endOfData = Buffer.from('\r\n.\r\n');

type Phase = 'commands' | 'header' | 'body';

export interface ReceiverParts {
  say(text: string): void;
  /** The client said QUIT, and was answered. */
  end(): void;
  /** A letter is whole; its number, if it is one of ours. */
  received(number: number | undefined, hash: string): void;
}

export class Receiver {
  readonly #parts: ReceiverParts;
  #phase: Phase = 'commands';
  #rest: Buffer = Buffer.alloc(0);
  #number: number | undefined;
  #hash = createHash('sha256');

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    parts.say('220 sink.example.net ESMTP\r\n');
  }

  /** Octets as they come, in pieces of any size. */
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
    this.#parts.say(answerTo(verb));
    if (verb === 'QUIT') this.#parts.end();
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
    this.#parts.received(this.#number, hash);
    this.#parts.say('250 2.0.0 Taken\r\n');
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
  if (verb === 'DATA') return '354 Go ahead\r\n';
  return verb === 'QUIT' ? '221 2.0.0 Bye\r\n' : '250 2.0.0 Ok\r\n';
}
