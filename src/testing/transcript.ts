/**
 * Plays transcripts (transcript-format.ts) against protocol machines and their applications, without a socket: what
 * the client says is fed in, what the server must say is compared. Knows no protocol. A dialogue must not depend on
 * how TCP cuts it, so `playEveryWay()` also plays it byte by byte and cut in two at every place.
 */

import type { Application, Machine, TlsInfo } from '../net/machine.ts';
import { type Action, matches, type Transcript } from './transcript-format.ts';

/** The two that serve one connection. */
export interface Served<Event, Answer> {
  machine: Machine<Event, Answer>;
  application: Application<Event, Answer>;
}

/** Takes a connection; its number is the transcript's, 1 where none is named. */
export type Serve<Event, Answer> = (connection: number) => Served<Event, Answer>;

/** How what a client sends is cut into packets. */
export interface Cut {
  name: string;
  packets(bytes: Buffer): Buffer[];
}

export const whole: Cut = { name: 'whole', packets: (bytes) => [bytes] };

export const byteByByte: Cut = {
  name: 'byte by byte',
  packets: (bytes) => Array.from(bytes, (octet) => Buffer.of(octet)),
};

export const cutAt = (offset: number): Cut => ({
  name: `cut after octet ${offset}`,
  packets: (bytes) => (offset < bytes.length ? [bytes.subarray(0, offset), bytes.subarray(offset)] : [bytes]),
});

/** Plays whole, byte by byte and cut at every place, each time to a server that `start` makes anew. */
export async function playEveryWay<Event, Answer>(
  transcript: Transcript,
  start: () => Serve<Event, Answer> | Promise<Serve<Event, Answer>>,
): Promise<void> {
  await playTranscript(transcript, await start(), whole);
  await playTranscript(transcript, await start(), byteByByte);
  for (let offset = 1; offset < longestPacket(transcript); offset++) {
    await playTranscript(transcript, await start(), cutAt(offset));
  }
}

const longestPacket = ({ actions }: Transcript): number =>
  Math.max(0, ...actions.map((action) => (action.kind === 'send' ? action.bytes.length : 0)));

/** Plays once; rejects with an Error that shows where the dialogue went another way, and all that was said before. */
export async function playTranscript<Event, Answer>(
  transcript: Transcript,
  serve: Serve<Event, Answer>,
  cut: Cut = whole,
): Promise<void> {
  const clients = new Map<number, Client<Event, Answer>>();
  const dialogue: string[] = [];
  try {
    for (const action of transcript.actions) {
      const client = clients.get(action.connection) ?? new Client(serve(action.connection));
      clients.set(action.connection, client);
      await client.perform(action, cut);
      dialogue.push(describe(action));
    }
    for (const client of clients.values()) client.expectSilence();
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    const line = transcript.actions[dialogue.length]?.line;
    const place = line === undefined ? 'at the end' : `line ${line}`;
    throw new Error(
      [`${transcript.title}: ${place} (played ${cut.name})`, error.message, 'after:', ...dialogue].join('\n'),
    );
  } finally {
    for (const client of clients.values()) client.leave();
  }
}

/** The server did not do what the transcript says. */
class Mismatch extends Error {
  constructor(expected: string, received: string) {
    super(`  expected  ${expected}\n  received  ${received}`);
  }
}

const tls: TlsInfo = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };

/** One connection from the client's side, with the driver's work done as the real one does it. */
class Client<Event, Answer> {
  readonly #served: Served<Event, Answer>;
  #received: Buffer = Buffer.alloc(0);
  #begun = false;
  #gone = false;

  constructor(served: Served<Event, Answer>) {
    this.#served = served;
  }

  async perform(action: Action, cut: Cut): Promise<void> {
    if (!this.#begun) await this.#pump();
    if (action.kind === 'expect') return this.#expectLines(action);
    if (action.kind !== 'hangUp') this.expectSilence();
    const { machine } = this.#served;
    switch (action.kind) {
      case 'send':
        for (const packet of cut.packets(action.bytes)) await this.#send(packet);
        break;
      case 'tls':
        if (!machine.tlsWanted) throw new Mismatch('== TLS', 'the server does not want TLS now');
        machine.tlsStarted(tls);
        await this.#pump();
        break;
      case 'closed':
        if (!machine.ended) throw new Mismatch('== closed', 'the server goes on');
        break;
      case 'hangUp':
        this.#received = Buffer.alloc(0); // what it has not read it never will
        this.leave();
        break;
      case 'end':
        machine.end(action.why);
        await this.#pump();
        break;
    }
  }

  /** Everything that the server said has been expected. */
  expectSilence(): void {
    if (this.#received.length > 0) throw new Mismatch('silence', shownLine(this.#received));
  }

  /** Closes the connection, if it is not closed yet. */
  leave(): void {
    if (!this.#gone) this.#served.application.closed();
    this.#gone = true;
  }

  async #send(packet: Buffer): Promise<void> {
    if (this.#gone) return; // the network drops what is sent to a closed connection
    this.#served.machine.receive(Buffer.from(packet)); // the machine's own: the next client sends the same again
    await this.#pump();
  }

  async #pump(): Promise<void> {
    this.#begun = true;
    const { machine, application } = this.#served;
    for (let event = machine.next(); event !== undefined; event = machine.next()) {
      this.#takeOutput();
      machine.reply(await application.handle(event));
    }
    this.#takeOutput();
    if (machine.ended) this.leave();
  }

  #takeOutput(): void {
    const bytes = this.#served.machine.output();
    if (bytes !== undefined) this.#received = Buffer.concat([this.#received, bytes]);
  }

  #expectLines({ pattern, repeated }: Action & { kind: 'expect' }): void {
    if (!this.#takeLine(pattern)) throw new Mismatch(`S: ${pattern}`, shownLine(this.#received));
    while (repeated && this.#takeLine(pattern));
  }

  /** Whether the next line was like this; if not, it is still to come. */
  #takeLine(pattern: string): boolean {
    const end = this.#received.indexOf('\r\n');
    if (end === -1 || !matches(pattern, this.#received.toString('utf8', 0, end))) return false;
    this.#received = this.#received.subarray(end + 2);
    return true;
  }
}

/** The first line of what came, for a person to read. */
function shownLine(received: Buffer): string {
  if (received.length === 0) return 'nothing';
  const end = received.indexOf('\r\n');
  if (end === -1) return `S: ${received} (without CRLF)`;
  return `S: ${received.toString('utf8', 0, end)}`;
}

/** An action as the transcript writes it. */
function describe(action: Action): string {
  switch (action.kind) {
    case 'send':
      return action.bytes
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => `  ${action.connection}C: ${line.trimEnd()}`)
        .join('\n');
    case 'expect':
      return `  ${action.connection}S: ${action.pattern}`;
    case 'end':
      return `  ${action.connection}== ${action.why}`;
    default:
      return `  ${action.connection}== ${action.kind}`;
  }
}
