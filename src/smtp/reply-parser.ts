/**
 * Octets from an SMTP server → replies (RFC 5321 §4.2, §4.5.3.1.5), with the enhanced status code (RFC 2034) taken off
 * the text. Bounded in line length and number of lines. What is not a reply is an error: a client that guesses
 * could take a refusal for an acceptance.
 */

import { type Reply, replyLines } from './reply.ts';

/** RFC 5321 allows 512 octets; some servers say more. */
export const maxReplyLineBytes = 4096;
export const maxReplyLines = 100;
/** Characters of a reply's text that are kept: it is quoted in reports, once for each recipient. */
export const maxReplyText = 8_192;

export class ReplySyntaxError extends Error {}

const lf = 0x0a;
const cr = 0x0d;
const replyLine = /^([2-5]\d\d)(?:([ -])(.*))?$/s;
const enhancedStatus = /^([245]\.\d{1,3}\.\d{1,3})(?: +|$)/;
/** Replies are shown on terminals and quoted in mail: no escape sequences, no line ends of their own. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be removed
const controls = /[\x00-\x1f\x7f-\x9f]/g;

export class ReplyParser {
  #buffer: Buffer = Buffer.alloc(0);
  #offset = 0;
  /** Where the line begins that is being read, or was read last. */
  #lineStart = 0;
  /** What came since a reply was last looked for: joined then, not at each octet of who talks without being asked. */
  #arrived: Buffer[] = [];
  #arrivedBytes = 0;
  /** What has been read of the current reply. */
  #code = 0;
  #enhanced: string | undefined;
  #lines: string[] = [];
  #textLength = 0;

  receive(bytes: Buffer): void {
    this.#arrived.push(bytes);
    this.#arrivedBytes += bytes.length;
  }

  /** Octets that no reply has used up yet. */
  get unreadBytes(): number {
    return this.#buffer.length - this.#offset + this.#arrivedBytes;
  }

  /** Nothing is waiting, not even the beginning of a reply. */
  get idle(): boolean {
    return this.unreadBytes === 0 && this.#lines.length === 0;
  }

  /**
   * What there is of a reply that has not become one: its lines so far, and the one that is not whole, or no line of a reply.
   * For the record: nothing is to be concluded from it.
   */
  fragment(): string[] {
    this.#join();
    const enhanced = this.#enhanced === undefined ? {} : { enhanced: this.#enhanced };
    const lines = replyLines({ code: this.#code, ...enhanced, lines: [...this.#lines, ''] }).slice(0, -1);
    const rest = this.#buffer.toString('utf8', this.#lineStart, this.#lineStart + maxReplyLineBytes);
    const [line = ''] = rest.split(/\r?\n/, 1);
    return line === '' ? lines : [...lines, line.replace(controls, '?')];
  }

  /** The next whole reply, or undefined when more octets are needed. Throws a ReplySyntaxError on anything else. */
  next(): Reply | undefined {
    this.#join();
    for (let line = this.#nextLine(); line !== undefined; line = this.#nextLine()) {
      if (this.#take(line)) return this.#finish();
    }
    return undefined;
  }

  #join(): void {
    const [first] = this.#arrived;
    if (first === undefined) return;
    const rest = this.#buffer.subarray(this.#offset);
    const alone = rest.length === 0 && this.#arrived.length === 1;
    this.#buffer = alone ? first : Buffer.concat([rest, ...this.#arrived]);
    this.#offset = 0;
    this.#lineStart = 0;
    this.#arrived = [];
    this.#arrivedBytes = 0;
  }

  #nextLine(): string | undefined {
    const start = this.#offset;
    this.#lineStart = start;
    const end = this.#buffer.indexOf(lf, start);
    const length = (end === -1 ? this.#buffer.length : end) - start;
    if (length > maxReplyLineBytes)
      throw new ReplySyntaxError(`a reply line is over ${maxReplyLineBytes} octets`);
    if (end === -1) return undefined;
    this.#offset = end + 1;
    return this.#buffer.toString('utf8', start, length > 0 && this.#buffer[end - 1] === cr ? end - 1 : end);
  }

  /** Adds a line to the current reply; true if it is the last. */
  #take(line: string): boolean {
    const [, digits, mark, text = ''] = replyLine.exec(line) ?? [];
    if (digits === undefined) throw new ReplySyntaxError(`not an SMTP reply: "${excerpt(line)}"`);
    const code = Number(digits);
    if (this.#lines.length === 0) this.#code = code;
    else if (code !== this.#code)
      throw new ReplySyntaxError(`a reply has the codes ${this.#code} and ${code}`);
    if (this.#lines.length === maxReplyLines)
      throw new ReplySyntaxError(`a reply has over ${maxReplyLines} lines`);
    const kept = this.#withoutStatus(text.replace(controls, ' ')).slice(0, maxReplyText - this.#textLength);
    this.#lines.push(kept);
    this.#textLength += kept.length;
    return mark !== '-';
  }

  /** Takes the enhanced status off a line's text. One whose class contradicts the code is no status (RFC 2034 §4). */
  #withoutStatus(text: string): string {
    const [found, status] = enhancedStatus.exec(text) ?? [];
    if (found === undefined || status === undefined) return text;
    if (Number(status[0]) !== Math.floor(this.#code / 100)) return text;
    this.#enhanced ??= status;
    return status === this.#enhanced ? text.slice(found.length) : text;
  }

  #finish(): Reply {
    const code = this.#code;
    const lines = this.#lines;
    const enhanced = this.#enhanced;
    this.#lines = [];
    this.#textLength = 0;
    this.#enhanced = undefined;
    this.#lineStart = this.#offset;
    return enhanced === undefined ? { code, lines } : { code, enhanced, lines };
  }
}

/** The beginning of a line that cannot be trusted, for an error message. */
function excerpt(line: string): string {
  return line.slice(0, 80).replace(controls, '?');
}
