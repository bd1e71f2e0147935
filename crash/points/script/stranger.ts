/**
 * Somebody else's mail server, as the words it says to what it hears; no sockets. What it does with a recipient stands in
 * the local part: `nobody…` is refused for good, `later…` is refused for now the first time, of `held…` the sender waits for
 * the last reply in vain, all others are taken. Its reply names letter and recipients, so that the sender's log tells all.
 */

import { tokenIn } from './letters.ts';

export interface Taken {
  token: string;
  recipients: string[];
  /** As it came, dots unstuffed. */
  octets: Buffer;
}

/** What all conversations with one server share. */
export interface StrangerState {
  readonly taken: Taken[];
  /** Letters that were refused for now once. */
  readonly deferred: Set<string>;
  /** Letters whose last reply is held back. */
  readonly held: string[];
  /** False: everybody's mail is taken at once, but nobody's. */
  difficult: boolean;
}

export const newStranger = (difficult: boolean): StrangerState => ({
  taken: [],
  deferred: new Set(),
  held: [],
  difficult,
});

const endOfData = '\r\n.\r\n';

/** One conversation with it. */
export class Stranger {
  static readonly greeting = '220 mx.example.net ESMTP\r\n';
  readonly #state: StrangerState;
  #unread = '';
  #recipients: string[] = [];
  #inData = false;
  /** It has said goodbye. */
  ended = false;

  constructor(state: StrangerState) {
    this.#state = state;
  }

  /** What it says to these octets. */
  hear(octets: Buffer): string {
    this.#unread += octets.toString('latin1');
    let answer = '';
    for (let reply = this.#next(); reply !== undefined; reply = this.#next()) answer += reply;
    return answer;
  }

  #next(): string | undefined {
    const end = this.#unread.indexOf(this.#inData ? endOfData : '\r\n');
    if (end < 0) return undefined;
    const text = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + (this.#inData ? endOfData.length : 2));
    if (!this.#inData) return this.#answer(text);
    this.#inData = false;
    return this.#take(
      Buffer.from(`${text.slice(2)}\r\n`.replaceAll('\r\n.', '\r\n').replace(/^\./, ''), 'latin1'),
    );
  }

  #answer(line: string): string {
    switch (line.slice(0, 4).toUpperCase()) {
      case 'EHLO':
        return '250-mx.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n';
      case 'RCPT':
        return this.#recipient(/<([^>]*)>/.exec(line)?.[1] ?? '');
      case 'DATA':
        return this.#startData();
      case 'QUIT':
        this.ended = true;
        return '221 2.0.0 Bye\r\n';
      default:
        this.#recipients = [];
        return '250 2.0.0 Ok\r\n';
    }
  }

  #recipient(address: string): string {
    if (address.startsWith('nobody')) return `550 5.1.1 No such user: ${address}\r\n`;
    this.#recipients.push(address);
    return '250 2.1.5 Ok\r\n';
  }

  #startData(): string {
    if (this.#recipients.length === 0) return '554 5.5.1 No valid recipients\r\n';
    this.#inData = true;
    this.#unread = `\r\n${this.#unread}`; // The CRLF of DATA may begin the end of an empty message.
    return '354 Go ahead\r\n';
  }

  #take(octets: Buffer): string {
    const { difficult, deferred, held, taken } = this.#state;
    const token = tokenIn(octets) ?? '';
    const recipients = this.#recipients;
    const someone = (name: string) => recipients.some((address) => address.startsWith(name));
    if (difficult && someone('held')) {
      held.push(token);
      return '';
    }
    if (difficult && someone('later') && !deferred.has(token)) {
      deferred.add(token);
      return `451 4.2.1 Not now, ${token}\r\n`;
    }
    taken.push({ token, recipients, octets });
    return takenReply(token, recipients);
  }
}

const takenReply = (token: string, recipients: readonly string[]): string =>
  `250 2.0.0 Taken ${token} for ${recipients.join(',')}\r\n`;

/** Reads the reply again that says that a letter was taken. */
export function readTakenReply(text: string): { token: string; recipients: string[] } | undefined {
  const [, token, recipients] = /^250 2\.0\.0 Taken (\S+) for (\S+)\r?$/m.exec(text) ?? [];
  return token === undefined || recipients === undefined
    ? undefined
    : { token, recipients: recipients.split(',') };
}

/** The letter that was refused for now. */
export const readRefusal = (text: string): string | undefined =>
  /^451 4\.2\.1 Not now, (\S+)\r?$/m.exec(text)?.[1];
