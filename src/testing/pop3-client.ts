/**
 * A mail program that reads: fetches a whole mailbox by POP3 over implicit TLS, and leaves it as it is (RFC 1939,
 * RFC 8314 §3.2). For tests and the playground.
 */

import type { DialogueLine, Endpoint, TlsFacts } from '../dossier/event.ts';
import { Dialogue } from '../util/dialogue.ts';
import { LineConnection } from './line-connection.ts';

export interface Mailbox {
  endpoint: Endpoint;
  /** The certificate authority to believe, PEM. */
  authority: string;
  user: string;
  password: string;
}

export interface Fetched {
  /** In the order of their numbers; CRLF line ends. */
  messages: Buffer[];
  tls: TlsFacts;
  /** What was said, without the password and the messages. */
  dialogue: readonly DialogueLine[];
}

/** Rejects with the server's words where it refuses something. */
export async function fetchByPop3({ endpoint, authority, user, password }: Mailbox): Promise<Fetched> {
  await using connection = await LineConnection.open(endpoint);
  const tls = await connection.startTls({ host: endpoint.host, authority });
  const dialogue = new Dialogue(Date.now);
  const session = new Pop3Conversation(connection, dialogue);
  await session.response();
  await session.ask(`USER ${octetsOf(user)}`, `USER ${user}`);
  await session.ask(`PASS ${octetsOf(password)}`, 'PASS ***');
  const count = Number((await session.ask('STAT')).split(' ')[1]);
  const messages: Buffer[] = [];
  for (let number = 1; number <= count; number += 1) messages.push(await session.retrieve(number));
  await session.ask('QUIT');
  return { messages, tls, dialogue: dialogue.excerpt().lines };
}

/** UTF-8, as a LineConnection writes it. */
const octetsOf = (text: string): string => Buffer.from(text).toString('latin1');

class Pop3Conversation {
  readonly #connection: LineConnection;
  readonly #dialogue: Dialogue;

  constructor(connection: LineConnection, dialogue: Dialogue) {
    this.#connection = connection;
    this.#dialogue = dialogue;
  }

  async response(): Promise<string> {
    const line = await this.#connection.line();
    this.#dialogue.server(line);
    if (!line.startsWith('+OK')) throw new Error(`POP3 server: ${line}`);
    return line;
  }

  /** `recorded` is what the dialogue shows of the command. */
  async ask(command: string, recorded = command): Promise<string> {
    this.#dialogue.client(recorded);
    this.#connection.write(`${command}\r\n`);
    return this.response();
  }

  /** RFC 1939 §3: the message ends with a dot alone; lines that begin with a dot have been given another. */
  async retrieve(number: number): Promise<Buffer> {
    await this.ask(`RETR ${number}`);
    const lines: string[] = [];
    for (let line = await this.#connection.line(); line !== '.'; line = await this.#connection.line()) {
      lines.push(`${line.replace(/^\./, '')}\r\n`);
    }
    const message = Buffer.from(lines.join(''), 'latin1');
    this.#dialogue.server(`(${message.length} octets of message)`);
    this.#dialogue.server('.');
    return message;
  }
}
