/**
 * A client of Marionette, by which Mozilla's programs are driven: JSON in netstrings, `LENGTH:[type, id, …]`, over TCP. Scripts
 * run in the program's own context, with all that its own code may do.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** `[1, id, error, result]`. */
type Answer = [type: 1, id: number, error: { message: string; stacktrace: string } | null, result: unknown];

export class Marionette {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #unread = Buffer.alloc(0);
  #lastId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
  }

  /** Rejects with the system's error while nobody listens yet. */
  static async open(port: number): Promise<Marionette> {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    const client = new Marionette(socket);
    await client.#ask('WebDriver:NewSession', {});
    await client.#ask('Marionette:SetContext', { value: 'chrome' });
    return client;
  }

  /** The body of an async function; what it returns is given as JSON. `args` are its `arguments`. */
  async run(script: string, ...args: unknown[]): Promise<unknown> {
    const result = await this.#ask('WebDriver:ExecuteAsyncScript', {
      // The last argument is what is to be called at the end.
      script: `const done = arguments[arguments.length - 1];
        (async (...args) => { ${script} })(...[...arguments].slice(0, -1)).then(
          (value) => done({ value }),
          (error) => done({ error: String(error) + "\\n" + (error?.stack ?? "") }));`,
      args,
      scriptTimeout: 60_000,
    });
    const { value } = result as { value: { value?: unknown; error?: string } }; // as WebDriver has it, and we above
    if (value.error !== undefined) throw new Error(value.error);
    return value.value;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #ask(command: string, parameters: object): Promise<unknown> {
    const id = ++this.#lastId;
    const message = JSON.stringify([0, id, command, parameters]);
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.write(`${Buffer.byteLength(message)}:${message}`);
    const [, , error, result] = await answered;
    if (error !== null) throw new Error(`${command}: ${error.message}\n${error.stacktrace}`);
    return result;
  }

  #receive(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (;;) {
      const colon = this.#unread.indexOf(':');
      const length = Number(this.#unread.toString('latin1', 0, colon));
      if (colon === -1 || this.#unread.length < colon + 1 + length) return;
      const message: unknown = JSON.parse(this.#unread.toString('utf8', colon + 1, colon + 1 + length));
      this.#unread = this.#unread.subarray(colon + 1 + length);
      // The first is a greeting.
      if (Array.isArray(message)) this.#waiting.get(message[1])?.(message as Answer);
    }
  }
}
