/**
 * mailauth's verifier with body hashes of our own. Its own ones read the body once more for every `l=` that differs,
 * take seconds for lines that end in white space, and a step for every bare LF: with 50 MB of such lines one message
 * would hold up everybody's. RFC 6376 §3.5, §6.1.3.
 */

import { DkimVerifier, type VerifiedBodyHash } from 'mailauth/lib/dkim/dkim-verifier.js';
import { BodyHashes, type HashAlgorithm } from './body-hash.ts';
import type { Canonicalization } from './canonical-body.ts';

export class SinglePassVerifier extends DkimVerifier {
  readonly #bodies = new Map<Canonicalization, BodyHashes>();

  /** Called for each signature when the header is there; `length` is '' without `l=`. Returns the hash's name. */
  override addBodyHash(
    canonicalization: Canonicalization,
    algorithm: HashAlgorithm,
    length: number | '',
  ): string {
    const name = `${canonicalization}:${algorithm}:${length}`;
    const body = this.#bodies.get(canonicalization) ?? new BodyHashes(canonicalization);
    this.#bodies.set(canonicalization, body);
    if (!this.bodyHashes.has(name)) {
      const most = length === '' ? Number.POSITIVE_INFINITY : length;
      this.bodyHashes.set(name, verifiedBodyHash(body, algorithm, most));
    }
    return name;
  }

  /** The body comes after the header and apart from it, and goes to its hashes as it is. */
  override async writeAsync(chunk: Buffer, encoding?: string): Promise<void> {
    await (this.headers === false ? super.writeAsync(chunk, encoding) : this.nextChunk(chunk));
  }

  override async nextChunk(chunk: Buffer): Promise<void> {
    for (const body of this.#bodies.values()) body.update(chunk);
  }
}

/** In the shape that the verifier asks for. Where a MIME part starts is of no interest to us. */
function verifiedBodyHash(body: BodyHashes, algorithm: HashAlgorithm, length: number): VerifiedBodyHash {
  const { digest, bodyOctets } = body.want(algorithm, length);
  return {
    digest,
    get canonicalizedLength() {
      return bodyOctets();
    },
    get bodyHashedBytes() {
      return Math.min(length, bodyOctets());
    },
    setContentType: () => undefined,
    getMimeStructureStart: () => undefined,
  };
}
