/**
 * The MTA's side of the milter protocol, version 6, over a stream: one session for each of our clients', several messages
 * after one another. Each method says one thing and resolves to what the filter answers; what follows from that is for
 * others. Rejects with a FilterError, after which the session is of no use. See codes.ts for where the protocol is from.
 */

import type { Header } from '../../mail/header.ts';
import type { AddedField } from '../added-fields.ts';
import { type Deadline, FilterError, type FilterStream } from '../stream.ts';
import { type MilterAnswer, readSaid, type Said } from './answers.ts';
import { apply, type Changes, noChanges } from './changes.ts';
import { bodyChunkBytes, command, leadingSpace, maySkip, type Step, unanswered, unwanted } from './codes.ts';
import { type MacroStage, type Macros, macroPacket } from './macros.ts';
import { type MilterOptions, offer, readOptions } from './options.ts';
import { encodePacket, PacketReader, texts } from './packet.ts';
import { nameAndValue, shownValue } from './shown-header.ts';

export interface MilterClient {
  /** Its name, or its address in brackets. */
  hostname: string;
  address: string;
  port: number;
}

/** A path with its angle brackets, and the parameters after it. */
export interface MilterPath {
  path: string;
  parameters: readonly string[];
}

export interface MilterMessage {
  /** What earlier filters have added in front. */
  fields: readonly AddedField[];
  header: Header;
  /** Read once, and not to its end where the filter has heard enough. */
  body: AsyncIterable<Buffer>;
}

export interface MilterEnd {
  answer: MilterAnswer;
  stage: MilterStage;
  changes: Changes;
}

/** After what a filter has decided, for people. */
export type MilterStage = (typeof stageWords)[Step] | 'end of message';

export const stageWords = {
  connect: 'connection',
  helo: 'HELO',
  mail: 'MAIL',
  recipient: 'RCPT',
  data: 'DATA',
  header: 'header',
  endOfHeader: 'end of header',
  body: 'body',
} as const satisfies Record<Step, string>;

const letters: Record<Step, string> = {
  connect: command.connect,
  helo: command.helo,
  mail: command.mail,
  recipient: command.recipient,
  data: command.data,
  header: command.header,
  endOfHeader: command.endOfHeader,
  body: command.body,
};

/** Packets before an answer: pieces of a body of 600 MiB, or a sign of life a second for hours. */
const maxWords = 10_000;

const goOn: MilterAnswer = { verdict: 'continue' };

export class MilterSession {
  readonly #stream: FilterStream;
  readonly #reader: PacketReader;
  readonly #options: MilterOptions;
  #inTransaction = false;

  private constructor(stream: FilterStream, reader: PacketReader, options: MilterOptions) {
    this.#stream = stream;
    this.#reader = reader;
    this.#options = options;
  }

  /** Negotiates. The stream is the session's from then on; where this rejects, it is closed. */
  static async open(stream: FilterStream, deadline: Deadline): Promise<MilterSession> {
    const reader = new PacketReader();
    try {
      await stream.write([encodePacket(command.options, offer())], deadline.leftMs());
      const packet = await nextPacket(stream, reader, deadline);
      if (packet.letter !== command.options) throw new FilterError('lied', 'its first words are no options');
      return new MilterSession(stream, reader, readOptions(packet.data));
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /** That the filter speaks. */
  get version(): number {
    return this.#options.version;
  }

  connect(client: MilterClient, macros: Macros, deadline: Deadline): Promise<MilterAnswer> {
    const family = client.address.includes(':') ? '6' : '4';
    const port = Buffer.alloc(2);
    port.writeUInt16BE(client.port);
    const data = [texts(client.hostname), Buffer.from(family), port, texts(client.address)];
    return this.#ask('connect', data, deadline, macros);
  }

  helo(name: string, macros: Macros, deadline: Deadline): Promise<MilterAnswer> {
    return this.#ask('helo', [texts(name)], deadline, macros);
  }

  /** Begins a message; one that was not ended is dropped. */
  async mail({ path, parameters }: MilterPath, macros: Macros, deadline: Deadline): Promise<MilterAnswer> {
    if (this.#inTransaction) await this.#stream.write([encodePacket(command.abort)], deadline.leftMs());
    this.#inTransaction = true;
    return this.#ask('mail', [texts(path, ...parameters)], deadline, macros);
  }

  recipient({ path, parameters }: MilterPath, macros: Macros, deadline: Deadline): Promise<MilterAnswer> {
    return this.#ask('recipient', [texts(path, ...parameters)], deadline, macros);
  }

  /** DATA, the header, the body and the end of the message, until the filter has decided. */
  async message(message: MilterMessage, macros: Macros, deadline: Deadline): Promise<MilterEnd> {
    const changes = noChanges(
      message.fields,
      message.header.fields.map(({ name }) => name),
    );
    const early =
      (await this.#early('data', this.#ask('data', [], deadline, macros))) ??
      (await this.#header(message, deadline)) ??
      (await this.#early('endOfHeader', this.#ask('endOfHeader', [], deadline, macros))) ??
      (await this.#body(message.body, deadline));
    if (early !== undefined) return { ...early, changes };
    const answer = await this.#end(changes, macros, deadline);
    this.#inTransaction = false;
    return { answer, stage: 'end of message', changes };
  }

  /** The client has gone. Never rejects. */
  async quit(timeoutMs: number): Promise<void> {
    try {
      await this.#stream.write([encodePacket(command.quit)], timeoutMs);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
    } finally {
      this.#stream.close();
    }
  }

  close(): void {
    this.#stream.close();
  }

  async #early(step: Step, asked: Promise<MilterAnswer>): Promise<Omit<MilterEnd, 'changes'> | undefined> {
    const answer = await asked;
    return answer.verdict === 'continue' ? undefined : { answer, stage: stageWords[step] };
  }

  async #header(
    { fields, header }: MilterMessage,
    deadline: Deadline,
  ): Promise<Omit<MilterEnd, 'changes'> | undefined> {
    const spaced = (this.#options.protocol & leadingSpace) !== 0;
    const shown = [
      ...fields.map(({ name, value }) => ({ name, value: Buffer.from(value) })),
      ...header.fields.flatMap(nameAndValue),
    ];
    for (const { name, value } of shown) {
      const early = await this.#early(
        'header',
        this.#ask('header', [texts(name, shownValue(value, spaced))], deadline),
      );
      if (early !== undefined) return early;
    }
    return undefined;
  }

  async #body(
    body: AsyncIterable<Buffer>,
    deadline: Deadline,
  ): Promise<Omit<MilterEnd, 'changes'> | undefined> {
    if ((this.#options.protocol & unwanted.body) !== 0) return undefined;
    for await (const piece of body) {
      for (let at = 0; at < piece.length; at += bodyChunkBytes) {
        const said = await this.#say('body', [piece.subarray(at, at + bodyChunkBytes)], deadline);
        if (said === 'skip') return undefined;
        if (said.verdict !== 'continue') return { answer: said, stage: stageWords.body };
      }
    }
    return undefined;
  }

  /** The one place where a filter may change things, before it answers. */
  async #end(changes: Changes, macros: Macros, deadline: Deadline): Promise<MilterAnswer> {
    this.#refuseEarly();
    const before = macroPacket('endOfMessage', macros, this.#options);
    await this.#stream.write([...before, encodePacket(command.endOfMessage)], deadline.leftMs());
    for (let words = 0; words < maxWords; words++) {
      const said = await this.#nextSaid(deadline);
      if (said.kind === 'answer') return said.answer;
      if (said.kind === 'skip') throw outOfTurn(said, 'end of message');
      if (said.kind === 'progress') continue;
      apply(changes, said.change);
    }
    throw endless();
  }

  async #ask(
    step: Step,
    data: readonly Buffer[],
    deadline: Deadline,
    macros?: Macros,
  ): Promise<MilterAnswer> {
    const said = await this.#say(step, data, deadline, macros);
    return said === 'skip' ? goOn : said;
  }

  async #say(
    step: Step,
    data: readonly Buffer[],
    deadline: Deadline,
    macros?: Macros,
  ): Promise<MilterAnswer | 'skip'> {
    const { protocol } = this.#options;
    if ((protocol & unwanted[step]) !== 0) return goOn;
    this.#refuseEarly();
    const before = macros === undefined ? [] : macroPacket(stageOf(step), macros, this.#options);
    await this.#stream.write([...before, encodePacket(letters[step], ...data)], deadline.leftMs());
    return (protocol & unanswered[step]) === 0 ? this.#answer(step, deadline) : goOn;
  }

  async #answer(step: Step, deadline: Deadline): Promise<MilterAnswer | 'skip'> {
    for (let words = 0; words < maxWords; words++) {
      const said = await this.#nextSaid(deadline);
      if (said.kind === 'answer') return said.answer;
      if (said.kind === 'skip' && step === 'body' && (this.#options.protocol & maySkip) !== 0) return 'skip';
      if (said.kind !== 'progress') throw outOfTurn(said, stageWords[step]);
    }
    throw endless();
  }

  /** What is there before we have asked is an answer to nothing, and would be taken for one to the next question. */
  #refuseEarly(): void {
    if (this.#reader.isEmpty && !this.#stream.hasInput) return;
    throw new FilterError('lied', 'it answers before it is asked');
  }

  async #nextSaid(deadline: Deadline): Promise<Said> {
    return readSaid(await nextPacket(this.#stream, this.#reader, deadline));
  }
}

async function nextPacket(stream: FilterStream, reader: PacketReader, deadline: Deadline) {
  for (;;) {
    const packet = reader.next();
    if (packet !== undefined) return packet;
    reader.receive(await stream.read(deadline.leftMs()));
  }
}

/** Of a header field or a piece of body nothing is told besides. */
function stageOf(step: Step): MacroStage {
  if (step === 'header' || step === 'body') throw new Error(`no macros belong to ${step}`);
  return step;
}

function outOfTurn(said: Said, stage: string): FilterError {
  const what = said.kind === 'change' ? `a change (${said.change.change})` : `"${said.kind}"`;
  return new FilterError('lied', `it says ${what} after ${stage}, where that has no place`);
}

const endless = (): FilterError =>
  new FilterError('lied', `it says more than ${maxWords} words, and no answer`);
