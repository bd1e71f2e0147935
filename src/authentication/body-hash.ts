/**
 * Body hashes of DKIM signatures, fed chunk by chunk: the one that we sign, and all that a message's signatures ask for
 * in one pass. They know the body only; what is signed is dkim-sign.ts, what is checked dkim-verify.ts.
 * RFC 6376 §3.5 (`bh=`, `l=`), §3.7.
 */

import { createHash, type Hash } from 'node:crypto';
import { type CanonicalBody, type Canonicalization, canonicalBody } from './canonical-body.ts';

export interface BodyHasher {
  /** Takes the next octets of the body, with CRLF line ends; a bare CR or LF is content. The chunk is not kept. */
  update(chunk: Buffer): void;
  /** The base64 value of `bh=`. To be called once, after the last octet. */
  digest(): string;
}

/** Relaxed canonicalization and SHA-256, the whole body: what we sign. */
export function bodyHasher(): BodyHasher {
  const hash = createHash('sha256');
  const body = canonicalBody('relaxed', (octets) => void hash.update(octets));
  return {
    update: (chunk) => body.update(chunk),
    digest() {
      body.end();
      return hash.digest('base64');
    },
  };
}

/** One body under one canonicalization, with all the SHA-256 hashes that are wanted of it (RFC 8301 knows no other). */
export class BodyHashes {
  readonly #body: CanonicalBody;
  readonly #hash = new PrefixHash();
  #ended = false;

  constructor(canonicalization: Canonicalization) {
    this.#body = canonicalBody(canonicalization, (octets) => this.#hash.update(octets));
  }

  /** The hash of the first octets of the body, or of all (`length` infinite). To be asked for before the first octet. */
  want(length: number): WantedHash {
    this.#hash.want(length);
    return {
      digest: () => {
        this.#end();
        return this.#hash.digest(length);
      },
      bodyOctets: () => {
        this.#end();
        return this.#hash.length;
      },
    };
  }

  update(chunk: Buffer): void {
    this.#body.update(chunk);
  }

  #end(): void {
    if (!this.#ended) this.#body.end();
    this.#ended = true;
  }
}

export interface WantedHash {
  /** The base64 value of `bh=`. To be called after the last octet. */
  digest(): string;
  /** Octets of the whole canonical body. To be called after the last octet. */
  bodyOctets(): number;
}

/** Hashes of the beginnings of one stream of octets, of any number of lengths at the cost of one. */
class PrefixHash {
  readonly #hash: Hash = createHash('sha256');
  readonly #digests = new Map<number, string>();
  /** Not reached yet, in ascending order. */
  #lengths: number[] = [];
  length = 0;

  want(length: number): void {
    this.#lengths = [...new Set([...this.#lengths, length])].sort((a, b) => a - b);
  }

  update(octets: Buffer): void {
    const start = this.length;
    let done = 0;
    for (
      let [next] = this.#lengths;
      next !== undefined && next <= start + octets.length;
      [next] = this.#lengths
    ) {
      this.#hash.update(octets.subarray(done, next - start));
      done = next - start;
      this.#digests.set(next, this.#soFar());
      this.#lengths.shift();
    }
    this.#hash.update(octets.subarray(done));
    this.length += octets.length;
  }

  /** Of all there is, where that is less than `length`. */
  digest(length: number): string {
    return this.#digests.get(length) ?? this.#soFar();
  }

  #soFar(): string {
    return this.#hash.copy().digest('base64');
  }
}
