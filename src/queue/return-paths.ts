/**
 * Reverse-paths of ours for what is passed on, and back (mail/srs.ts): with which secrets. Two are known at a time, so that
 * a change of them makes no bounce homeless; they are memos, made when the first message is passed on.
 */

import { randomBytes } from 'node:crypto';
import { type Address, formatAddress, parseAddress } from '../mail/address.ts';
import { type Reversal, reverse, rewrite } from '../mail/srs.ts';
import type { Memo } from '../store/memo-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';

export interface ReturnPathParts {
  store: Pick<Store, 'listMemos' | 'writeMemos' | 'removeMemos'>;
  clock: Clock;
  isLocal(domain: string): boolean;
}

interface Secret {
  secret: Buffer;
  since: number;
}

/** Longer than what was made with the one before can be good. */
export const secretMs = 60 * 24 * 3600_000;
const secretBytes = 32;
const secretKind = 'srsSecret';

export class ReturnPaths {
  readonly #parts: ReturnPathParts;
  /** The newest first. */
  #secrets: readonly Secret[];
  #renewing: Promise<Secret> | undefined;

  private constructor(parts: ReturnPathParts, secrets: readonly Secret[]) {
    this.#parts = parts;
    this.#secrets = secrets;
  }

  static async read(parts: ReturnPathParts): Promise<ReturnPaths> {
    const memos = await parts.store.listMemos(secretKind);
    return new ReturnPaths(
      parts,
      memos.map(secretOf).sort((a, b) => b.since - a.since),
    );
  }

  /**
   * The reverse-path of a message that `forwarder`, an address of ours, passes on. Senders of ours keep theirs, and so does
   * the null sender. Where none can be made that fits, the forwarder's own: it hears of what goes wrong.
   */
  async rewrite(reversePath: string, forwarder: Address): Promise<string> {
    const sender = reversePath === '' ? undefined : parseAddress(reversePath);
    if (sender === undefined || this.#parts.isLocal(sender.domain)) return reversePath;
    const { secret } = await this.#current();
    const made = rewrite(sender, { secret, domain: forwarder.domain, now: this.#parts.clock.now() });
    return formatAddress(made ?? forwarder);
  }

  /** Whom a bounce to an address of ours is for that looks like one of these. */
  reverse({ localPart }: Address): Reversal {
    const secrets = this.#secrets.map(({ secret }) => secret);
    return reverse(localPart, { secrets, now: this.#parts.clock.now() });
  }

  #current(): Secret | Promise<Secret> {
    const [newest] = this.#secrets;
    if (newest !== undefined && this.#parts.clock.now() - newest.since < secretMs) return newest;
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** On disk before it is used: what it signs must be known after a crash. */
  async #renew(): Promise<Secret> {
    const made = { secret: randomBytes(secretBytes), since: this.#parts.clock.now() };
    const { store } = this.#parts;
    await store.writeMemos([memoOf(made)]);
    const [previous, ...older] = this.#secrets;
    this.#secrets = [made, ...(previous ? [previous] : [])];
    if (older.length > 0) await store.removeMemos(secretKind, older.map(keyOf));
    return made;
  }
}

const keyOf = ({ since }: Secret): string => String(since);

const memoOf = (made: Secret): Memo => ({
  kind: secretKind,
  key: keyOf(made),
  value: made.secret.toString('base64'),
});

const secretOf = ({ key, value }: Memo): Secret => ({
  // As memoOf() wrote it.
  secret: Buffer.from(String(value), 'base64'),
  since: Number(key),
});
