/** What both sides of a session have said: on its way to the client, and in the dialogue, where secrets are masked. */

import { Dialogue } from '../util/dialogue.ts';
import type { Command } from './command.ts';
import { type Reply, replyLines } from './reply.ts';

/** What follows the mechanism in an AUTH command, well-formed or not, is for nobody's eyes. */
const secretOfAuth = /^(\s*AUTH\s+\S+)\s.*$/is;

const masked = '***';

export class SessionRecord {
  /** Everything said since the connection began (its opening) and since the last MAIL. */
  readonly dialogue: Dialogue;
  #unsent: string[] = [];
  #authRefused = false;

  constructor(now: () => number) {
    this.dialogue = new Dialogue(now);
  }

  say(answer: Reply): void {
    for (const line of replyLines(answer)) {
      this.dialogue.server(line);
      this.#unsent.push(`${line}\r\n`);
    }
  }

  /** What proves something to the client: with it and the salt, passwords could be tried by who reads the dialogue. */
  saySecret(challenge: Reply): void {
    this.dialogue.server(`${challenge.code} ${masked}`);
    this.#unsent.push(...replyLines(challenge).map((line) => `${line}\r\n`));
  }

  /** What was said and has not been taken to the client yet. */
  takeUnsent(): Buffer | undefined {
    if (this.#unsent.length === 0) return undefined;
    const [first = ''] = this.#unsent;
    const text = this.#unsent.length === 1 ? first : this.#unsent.join('');
    this.#unsent = [];
    return Buffer.from(text, 'utf8');
  }

  heardCommand(command: Command, line: Buffer): void {
    // Pipelined behind an AUTH that was refused, user name and password come as commands that nobody knows.
    const isSecret = this.#authRefused && command.verb === 'invalid';
    this.#authRefused = isSecret;
    this.dialogue.client(isSecret ? masked : line.toString('utf8').replace(secretOfAuth, `$1 ${masked}`));
  }

  /** What the client says next may be meant for the exchange that was refused. */
  refusedAuth(): void {
    this.#authRefused = true;
  }

  heardSecret(): void {
    this.dialogue.client(masked);
  }

  heardMessage(sizeBytes: number): void {
    this.dialogue.client(`(${sizeBytes} octets of message)`);
  }

  heardUnwantedChunk(): void {
    this.dialogue.client('(a chunk that was not wanted)');
  }
}
