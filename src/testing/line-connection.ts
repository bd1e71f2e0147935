/**
 * A connection to a server that speaks in lines, as a person has it by telnet or `openssl s_client`: for dialogues in
 * tests, and below the POP3 client. Certificates are verified. Knows no protocol.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { TlsFacts } from '../dossier/event.ts';
import { LineReader } from '../util/line-reader.ts';

export interface LineEndpoint {
  address: string;
  port: number;
}

/** Whom to expect at the other end of TLS. */
export interface Identity {
  /** The name that the certificate must bear. */
  host: string;
  /** The certificate authority to believe, PEM. */
  authority: string;
}

const patienceMs = 20_000;
const maxLineBytes = 1024 * 1024;

export class LineConnection implements AsyncDisposable {
  #socket: Socket;
  #ended = false;
  #wake: () => void = () => undefined;
  readonly #reader = new LineReader(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#attach(socket);
  }

  static async open({ address, port }: LineEndpoint): Promise<LineConnection> {
    const socket = connect({ host: address, port, noDelay: true });
    await once(socket, 'connect');
    return new LineConnection(socket);
  }

  /** Shakes hands; rejects with the reason where the certificate is not what was expected. */
  async startTls({ host, authority }: Identity): Promise<TlsFacts> {
    this.#socket.removeAllListeners('data');
    const secure = tlsConnect({ socket: this.#socket, servername: host, ca: authority });
    await once(secure, 'secureConnect');
    this.#socket = secure;
    this.#attach(secure);
    return tlsFacts(secure);
  }

  /** Sends text as it is, octet by octet (latin1). */
  write(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** The next line without its end, octets as latin1. Rejects when the server closes instead, or is silent for 10 s. */
  async line(): Promise<string> {
    for (;;) {
      const line = this.#reader.line(maxLineBytes);
      if (line instanceof Buffer) return line.toString('latin1');
      if (line !== undefined) throw new Error(`A line of more than ${maxLineBytes} octets`);
      if (this.#ended) throw new Error('The server closed the connection');
      await this.#more();
    }
  }

  /** Sends a line, CRLF added, and reads one. */
  ask(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.line();
  }

  /** Resolves when the server has closed; rejects if it says something first. */
  async closed(): Promise<void> {
    while (!this.#ended) await this.#more();
    if (this.#reader.heldBytes > 0) throw new Error(`The server said: ${await this.line()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }

  #attach(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => {
      this.#reader.push(bytes);
      this.#wake();
    });
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        // Under TLS the TCP socket ends too, maybe before all that came has been decrypted.
        if (socket === this.#socket) this.#ended = true;
        this.#wake();
      });
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`The server was silent for ${patienceMs / 1000} s`)),
        patienceMs,
      );
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function tlsFacts(socket: TLSSocket): TlsFacts {
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    certificate: 'verified', // else there would have been no secureConnect
  };
}
