/**
 * A maildrop as one POP3 session sees it (RFC 1939 §5): the messages there at login, numbered from 1, and the marks of
 * those to be deleted. Nothing here is ever removed: marks become deeds in the UPDATE state, elsewhere.
 */

import type { MaildropMessage } from './event.ts';

export class Maildrop {
  readonly #messages: readonly MaildropMessage[];
  readonly #deleted = new Set<number>();
  readonly #totalBytes: number;
  #deletedBytes = 0;

  constructor(messages: readonly MaildropMessage[]) {
    this.#messages = messages;
    this.#totalBytes = messages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** Messages not marked as deleted, here and below. */
  get count(): number {
    return this.#messages.length - this.#deleted.size;
  }

  get sizeBytes(): number {
    return this.#totalBytes - this.#deletedBytes;
  }

  find(number: number): MaildropMessage | undefined {
    return this.#deleted.has(number) ? undefined : this.#messages[number - 1];
  }

  *numbered(): Generator<readonly [number: number, message: MaildropMessage]> {
    for (const [index, message] of this.#messages.entries()) {
      if (!this.#deleted.has(index + 1)) yield [index + 1, message];
    }
  }

  /** Marks a message that `find()` finds; any other is left as it is. */
  markDeleted(number: number): void {
    const message = this.find(number);
    if (message === undefined) return;
    this.#deleted.add(number);
    this.#deletedBytes += message.sizeBytes;
  }

  unmarkAll(): void {
    this.#deleted.clear();
    this.#deletedBytes = 0;
  }

  isMarked(number: number): boolean {
    return this.#deleted.has(number);
  }

  /** The numbers of the marked messages, rising. */
  marked(): number[] {
    return [...this.#deleted].sort((a, b) => a - b);
  }
}
