/**
 * The body of one message for all of its signatures: read once, in each canonicalization that one of them asks for, or
 * not at all where none does. RFC 6376 §3.5 (`bh=`, `l=`).
 */

import { BodyHashes, type WantedHash } from './body-hash.ts';
import type { Canonicalization } from './canonical-body.ts';

export class SignedBody {
  readonly #hashes = new Map<Canonicalization, BodyHashes>();
  /** Why the body could not be read to its end. */
  #cutBy: string | undefined;

  /** To be asked for before the body is read; `length` is infinite without `l=`. */
  want(canonicalization: Canonicalization, length: number): WantedHash {
    const hashes = this.#hashes.get(canonicalization) ?? new BodyHashes(canonicalization);
    this.#hashes.set(canonicalization, hashes);
    return hashes.want(length);
  }

  get cutBy(): string | undefined {
    return this.#cutBy;
  }

  /** Rejects where `body` does, unless `signal` is aborted: then the hashes are not to be had. */
  async read(body: AsyncIterable<Buffer>, signal: AbortSignal): Promise<void> {
    if (this.#hashes.size === 0) return;
    try {
      for await (const chunk of body) for (const hashes of this.#hashes.values()) hashes.update(chunk);
    } catch (error) {
      if (!signal.aborted) throw error;
      this.#cutBy = 'no time was left to read the message';
    }
  }
}
