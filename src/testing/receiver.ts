/**
 * A mail server of somebody else, for tests of sending: real SMTP on a real socket, with the answers that the test gives,
 * and all that it was told kept. What a connection breaks in the middle of is better played by a scripted peer.
 */

import { createSecureContext } from 'node:tls';
import { Connection } from '../net/connection.ts';
import { type Listener, listen } from '../net/listener.ts';
import type { Application } from '../net/machine.ts';
import { oneContext } from '../net/server-context.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import { SmtpSession } from '../smtp/session.ts';
import type { SmtpEvent } from '../smtp/session-options.ts';
import { createLog } from '../util/log.ts';
import type { Certificate } from './certificates.ts';

/** One message, as it was handed over. */
export interface Taken {
  /** Number of the connection, from 1. */
  connection: number;
  from: string;
  /** Parameters of MAIL: `SIZE`, `BODY`, `SMTPUTF8`. */
  parameters: Record<string, string>;
  /** Those that were accepted. */
  recipients: string[];
  content: string;
}

/** What it says instead of yes. A test may change it at any time. */
export interface Answers {
  connect?: Reply | undefined;
  mail?: Reply | undefined;
  /** By recipient. */
  recipients?: Readonly<Record<string, Reply>>;
  /** To a recipient, by the address that the client calls from. */
  recipient?: ((path: string, client: string) => Reply | undefined) | undefined;
  /** To the end of data. */
  message?: Reply | undefined;
}

export interface Receiver extends AsyncDisposable {
  readonly answers: Answers;
  /** Messages that it has accepted. */
  readonly taken: Taken[];
  /** Every recipient ever named, in order, with what was said. */
  readonly named: [recipient: string, code: number][];
  readonly connections: number;
}

export interface ReceiverOptions {
  address: string;
  port: number;
  answers?: Answers;
  /** It offers STARTTLS. */
  certificate?: Certificate;
  /** … and fails at the handshake: it knows no version of TLS that anybody still speaks. */
  failsTls?: boolean;
}

const limits = { idleMs: 60_000, sessionMs: 60_000 };
const log = createLog('silent');

export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { address, port, answers = {}, certificate } = options;
  const { failsTls = false } = options;
  const versions = failsTls ? ({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const) : {};
  const tls = certificate && oneContext(createSecureContext({ ...certificate, ...versions }));
  const state = { answers, taken: [], named: [], connections: 0 };
  const open = new Set<Connection<SmtpEvent, Reply | undefined>>();
  const listener: Listener = await listen({
    address,
    port,
    enter: () => ({ leave: () => undefined }),
    log,
    serve(socket) {
      const machine = newMachine(tls !== undefined);
      const application = new Stranger(state, {
        connection: ++state.connections,
        client: socket.remoteAddress ?? '',
      });
      const connection = new Connection(socket, { machine, application, tls, limits, log });
      open.add(connection);
      void connection.closed.then(() => open.delete(connection));
    },
  });
  return Object.assign(state, {
    async [Symbol.asyncDispose]() {
      for (const connection of open) connection.end('shutdown');
      await listener.close();
    },
  });
}

const newMachine = (startTls: boolean): SmtpSession =>
  new SmtpSession({
    hostname: 'mx.stranger.example',
    now: Date.now,
    startTls,
    auth: [],
    bareNewline: 'reject',
    messageBytes: 10_000_000,
    recipients: 1000,
    commands: 10_000,
  });

class Stranger implements Application<SmtpEvent, Reply | undefined> {
  readonly #state: { answers: Answers; taken: Taken[]; named: [string, number][] };
  readonly #client: string;
  #message: Taken;

  constructor(
    state: { answers: Answers; taken: Taken[]; named: [string, number][] },
    { connection, client }: { connection: number; client: string },
  ) {
    this.#state = state;
    this.#client = client;
    this.#message = { connection, from: '', parameters: {}, recipients: [], content: '' };
  }

  handle(event: SmtpEvent): Reply | undefined {
    const { answers } = this.#state;
    switch (event.type) {
      case 'connect':
        return answers.connect;
      case 'mail': {
        const { connection } = this.#message;
        const parameters = Object.fromEntries(event.parameters);
        this.#message = { connection, from: event.path, parameters, recipients: [], content: '' };
        return answers.mail;
      }
      case 'recipient':
        return this.#recipient(
          event.path,
          answers.recipients?.[event.path] ?? answers.recipient?.(event.path, this.#client),
        );
      case 'chunk':
        this.#message.content += event.bytes.toString('latin1');
        return undefined;
      case 'message':
        if (answers.message) return answers.message;
        this.#state.taken.push(this.#message);
        return reply(250, '2.0.0', 'Taken');
      default:
        return undefined;
    }
  }

  closed(): void {}

  #recipient(path: string, refusal: Reply | undefined): Reply | undefined {
    this.#state.named.push([path, refusal?.code ?? 250]);
    if (!refusal) this.#message.recipients.push(path);
    return refusal;
  }
}
