/** A conversation with the stranger without a socket: what the SMTP client of src/ says, it hears, and answers at once. */

import type { Endpoint } from '../../../src/dossier/event.ts';
import { type Conversation, ConversationError, type Dial } from '../../../src/smtp/conversation.ts';
import type { Reply } from '../../../src/smtp/reply.ts';
import { ReplyParser } from '../../../src/smtp/reply-parser.ts';
import { Dialogue } from '../../../src/util/dialogue.ts';
import { Stranger, type StrangerState } from '../script/stranger.ts';

export const dialStranger =
  (state: StrangerState): Dial =>
  async (endpoint) =>
    new StrangerConversation(endpoint, new Stranger(state));

class StrangerConversation implements Conversation {
  readonly endpoint: Endpoint;
  dialogue = new Dialogue(Date.now);
  readonly #stranger: Stranger;
  readonly #parser = new ReplyParser();

  constructor(endpoint: Endpoint, stranger: Stranger) {
    this.endpoint = endpoint;
    this.#stranger = stranger;
    this.#parser.receive(Buffer.from(Stranger.greeting));
  }

  get quiet(): boolean {
    return this.#parser.idle;
  }

  send(commands: readonly string[]): void {
    this.#say(Buffer.from(`${commands.join('\r\n')}\r\n`));
  }

  sendSecret(line: string): void {
    this.send([line]);
  }

  async sendContent(pieces: readonly Buffer[]): Promise<void> {
    this.#say(Buffer.concat(pieces));
  }

  async reply(): Promise<Reply> {
    const reply = this.#parser.next();
    if (reply === undefined) throw new ConversationError('timeout', 'the stranger has nothing to say');
    return reply;
  }

  startTls(): Promise<never> {
    throw new Error('The stranger offers no TLS');
  }

  close(): void {}

  #say(octets: Buffer): void {
    const answer = this.#stranger.hear(octets);
    if (answer !== '') this.#parser.receive(Buffer.from(answer, 'latin1'));
  }
}
