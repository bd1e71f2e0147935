/** A protocol in miniature, to test what drives protocols: each line is an event, each answer a line. */

import type { Machine, TlsInfo } from '../net/machine.ts';

/** STARTTLS wants TLS and QUIT ends it; what they are answered is the application's, as for every line. */
export class LineMachine implements Machine<string, string> {
  tlsWanted = false;
  midway = false;
  ended = false;
  receivedBytes = 0;
  tls: TlsInfo | undefined;
  #input = '';
  #output = '';

  receive(bytes: Buffer): void {
    this.receivedBytes += bytes.length;
    this.#input += bytes.toString('latin1');
  }

  next(): string | undefined {
    const end = this.#input.indexOf('\n');
    if (end === -1 || this.ended || this.tlsWanted) return undefined;
    const line = this.#input.slice(0, end);
    this.#input = this.#input.slice(end + 1);
    this.tlsWanted = line === 'STARTTLS';
    this.ended = line === 'QUIT';
    return line;
  }

  reply(answer: string): void {
    this.#output += `${answer}\n`;
  }

  output(): Buffer | undefined {
    if (this.#output === '') return undefined;
    const bytes = Buffer.from(this.#output);
    this.#output = '';
    return bytes;
  }

  tlsStarted(tls: TlsInfo): void {
    this.#input = '';
    this.tlsWanted = false;
    this.tls = tls;
  }

  end(why: string): void {
    this.ended = true;
    this.#output += `bye: ${why}\n`;
  }
}
