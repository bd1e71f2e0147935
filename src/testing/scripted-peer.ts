/**
 * An SMTP server for tests that does what a script says, on a real loopback socket, and checks what the client says.
 * Each connection plays the next script:
 *
 *     S: 250 OK              sends the line; nothing of the client's may be waiting unread
 *     S! 250 OK              … whatever the client has said meanwhile
 *     S> 250 O               sends just this; \r and \n stand for CR and LF, \xFC for an octet
 *     S+ \x15\x03\x01         … whatever the client has said meanwhile
 *     S* 354-go\r\n          sends just this again and again, until the client has gone
 *     S~ 250 ok\r\n          sends just this octet by octet, calling onQuiet() after each, until the client has gone
 *     C: MAIL FROM:<…>       the client's next line; `…` stands for anything within it
 *     C: (message)           all lines up to the final dot, kept as they came
 *     C: (1000 octets)       so many octets of a BDAT chunk, kept with those before
 *     == TLS                 the handshake (the server's side)
 *     == alert               breaks it: what comes under TLS is no record of it
 *     == hang up             closes the connection; `== reset` breaks it off
 *     == unread              nothing more is read
 *     == deaf                whatever the client says is not answered, and it closes
 *     == quiet               the client closes, having said nothing more; so do scripts without a hang-up end
 */

import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Endpoint } from '../dossier/event.ts';
import type { Certificate } from './certificates.ts';
import { matches } from './transcript-format.ts';

export interface PeerOptions {
  certificate?: Certificate;
  /** Every octet goes out on its own. */
  byteByByte?: boolean;
  /** Called at `== quiet` and `== deaf`: the client waits for what will not come, and a test's clock may strike. */
  onQuiet?: () => void;
}

export interface ScriptedPeer extends AsyncDisposable {
  endpoint: Endpoint;
  /** As they came over the wire, with dots doubled and the final line. */
  messages: string[];
  /** What clients asked for by SNI. */
  serverNames: (string | false)[];
  /** How many connections there were. */
  readonly connections: number;
  /** Resolves when every script has been played to its end; rejects with the first thing that was not as written. */
  played(): Promise<void>;
}

/** Listens on 127.0.0.1, on a free port unless it is given one. Its host name, for the certificate, is `host`. */
export async function scriptedPeer(
  scripts: readonly string[],
  {
    certificate,
    byteByByte = false,
    onQuiet = () => undefined,
    host = 'mx.example.net',
    port: wanted = 0,
  }: PeerOptions & { host?: string; port?: number } = {},
): Promise<ScriptedPeer> {
  const sockets = new Set<Socket>();
  const plays: Promise<void>[] = [];
  const messages: string[] = [];
  const serverNames: (string | false)[] = [];
  const done = Promise.withResolvers<void>();
  // Whoever does not ask for the result hears of a mistake by the connection's end.
  done.promise.catch(() => undefined);
  let connections = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    const script = scripts[connections++];
    if (script === undefined) return done.reject(new Error(`A connection too many: number ${connections}`));
    const stage = new Stage(socket, { certificate, byteByByte, onQuiet, messages, serverNames });
    const play = stage.play(script).catch((error: unknown) => {
      socket.destroy();
      done.reject(error);
    });
    if (plays.push(play) === scripts.length) void Promise.all(plays).then(() => done.resolve());
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
    });
  });
  return {
    endpoint: { host, address: '127.0.0.1', port },
    messages,
    serverNames,
    get connections() {
      return connections;
    },
    played: () => done.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Props {
  certificate: Certificate | undefined;
  byteByByte: boolean;
  onQuiet: () => void;
  messages: string[];
  serverNames: (string | false)[];
}

/** One connection, playing one script. */
class Stage {
  readonly #props: Props;
  /** Below TLS. */
  readonly #raw: Socket;
  #socket: Socket;
  #unread: Buffer = Buffer.alloc(0);
  #ended = false;
  /** The last message came in chunks so far. */
  #chunks = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket, props: Props) {
    this.#raw = socket;
    this.#socket = socket;
    this.#props = props;
    this.#attach(socket);
  }

  async play(script: string): Promise<void> {
    const lines = script.split('\n').map((line) => line.trim());
    for (const line of lines) if (line !== '') await this.#step(line);
    await this.#clientEnd();
  }

  #attach(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, bytes]);
      this.#wake();
    });
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        if (socket === this.#socket) this.#ended = true;
        this.#wake();
      });
    }
  }

  #step(line: string): Promise<void> {
    const text = line.slice(3);
    if (line === 'C: (message)') return this.#message();
    const octets = /^C: \((\d+) octets\)$/.exec(line)?.[1];
    if (octets !== undefined) return this.#octets(Number(octets));
    if (line.startsWith('C: ')) return this.#expect(text);
    if (line.startsWith('S: ')) return this.#say(`${text}\r\n`, true);
    if (line.startsWith('S! ')) return this.#say(`${text}\r\n`, false);
    if (line.startsWith('S> ')) return this.#say(unescaped(text), true);
    if (line.startsWith('S+ ')) return this.#say(unescaped(text), false);
    if (line.startsWith('S* ')) return this.#sayForEver(unescaped(text));
    if (line.startsWith('S~ ')) return this.#drip(unescaped(text));
    if (line === '== TLS') return this.#startTls();
    if (line === '== alert') return this.#breakTls();
    if (line === '== hang up' || line === '== reset') return this.#hangUp(line === '== reset');
    if (line === '== quiet') return this.#keepQuiet();
    if (line === '== unread') return this.#stopReading();
    if (line === '== deaf') return this.#beDeaf();
    throw new Error(`Not a line of a script: ${line}`);
  }

  async #expect(pattern: string): Promise<void> {
    const line = await this.#take('\r\n');
    if (!matches(pattern, line)) throw new Error(`The client said "${line}" instead of "${pattern}"`);
  }

  async #message(): Promise<void> {
    let message = '';
    for (let line = ''; line !== '.'; message += `${line}\r\n`) line = await this.#take('\r\n');
    this.#props.messages.push(message);
  }

  async #octets(count: number): Promise<void> {
    await this.#until(() => this.#unread.length >= count || this.#ended);
    if (this.#unread.length < count) throw new Error('The client went away');
    const before = this.#chunks ? (this.#props.messages.pop() ?? '') : '';
    this.#chunks = true;
    this.#props.messages.push(before + this.#unread.toString('latin1', 0, count));
    this.#unread = this.#unread.subarray(count);
  }

  async #say(text: string | Buffer, inTurn: boolean): Promise<void> {
    if (inTurn && this.#unread.length > 0)
      throw new Error(`The client did not wait for "${text.toString().trim()}"`);
    if (!this.#props.byteByByte) this.#socket.write(text);
    else
      for (const octet of text.toString()) await new Promise((resolve) => this.#socket.write(octet, resolve));
  }

  async #sayForEver(text: Buffer): Promise<void> {
    while (!this.#ended) {
      await new Promise((resolve) => this.#socket.write(text, resolve));
      await new Promise((resolve) => setImmediate(resolve)); // a write of little is done at once: let the client read
    }
  }

  async #drip(text: Buffer): Promise<void> {
    for (const octet of text) {
      if (this.#ended) return;
      await new Promise((resolve) => this.#socket.write(Buffer.from([octet]), resolve));
      this.#props.onQuiet();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #startTls(): Promise<void> {
    const { certificate, serverNames } = this.#props;
    this.#socket.removeAllListeners('data');
    const secure = new TLSSocket(this.#socket, {
      isServer: true,
      secureContext: createSecureContext(certificate),
      SNICallback: (name, accept) => {
        serverNames.push(name);
        accept(null);
      },
    });
    secure.on('error', () => secure.destroy());
    this.#socket = secure;
    this.#attach(secure);
    await new Promise((resolve, reject) => {
      secure.once('secure', resolve);
      secure.once('close', () => reject(new Error('The TLS handshake failed')));
    });
  }

  /** A fatal alert in clear text, where the client expects records under its keys. */
  async #breakTls(): Promise<void> {
    this.#raw.write(Buffer.from([0x15, 3, 3, 0, 2, 2, 40]));
    await this.#beDeaf();
  }

  async #hangUp(reset: boolean): Promise<void> {
    if (reset) this.#socket.resetAndDestroy();
    else this.#socket.end();
    this.#ended = true;
  }

  #keepQuiet(): Promise<void> {
    this.#props.onQuiet();
    return this.#clientEnd();
  }

  async #stopReading(): Promise<void> {
    this.#socket.pause();
    this.#props.onQuiet();
    await this.#until(() => this.#ended);
  }

  async #beDeaf(): Promise<void> {
    this.#props.onQuiet();
    await this.#until(() => this.#ended);
    this.#unread = Buffer.alloc(0);
  }

  async #clientEnd(): Promise<void> {
    await this.#until(() => this.#ended || this.#unread.length > 0);
    if (this.#unread.length > 0) throw new Error(`The client went on: "${this.#unread.toString()}"`);
  }

  /** What comes before the next `end`. */
  async #take(end: string): Promise<string> {
    await this.#until(() => this.#unread.includes(end) || this.#ended);
    const at = this.#unread.indexOf(end);
    if (at === -1) throw new Error('The client went away');
    const taken = this.#unread.toString('utf8', 0, at);
    this.#unread = this.#unread.subarray(at + end.length);
    return taken;
  }

  async #until(ready: () => boolean): Promise<void> {
    while (!ready()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

/** \\r, \\n and \\xFC as octets; all else in UTF-8. */
function unescaped(text: string): Buffer {
  const octets = Buffer.from(text).toString('latin1');
  const coded = /\\(?:x([0-9A-F]{2})|([rn]))/g;
  const plain = octets.replace(coded, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (letter === 'r' ? '\r' : '\n') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, 'latin1');
}
