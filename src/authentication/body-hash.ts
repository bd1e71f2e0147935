/**
 * The body hash of a DKIM signature: relaxed canonicalization and SHA-256, fed chunk by chunk, so that a message is
 * hashed while it streams by and is never whole in memory. It knows the body only; what is signed is dkim-sign.ts.
 * RFC 6376 §3.4.4, §3.7.
 */

import { createHash } from 'node:crypto';

const cr = 0x0d;
const lf = 0x0a;
const space = 0x20;
const tab = 0x09;

/** More withheld line ends than this are hashed in runs: a body of nothing but line ends costs no memory. */
const bufferedLineEnds = 1024;
const lineEndRun = Buffer.from('\r\n'.repeat(bufferedLineEnds));
/** What may be withheld before a chunk and written with it: line ends, one space, one CR. */
const withheldOctets = lineEndRun.length + 2;

export interface BodyHasher {
  /** Takes the next octets of the body, with CRLF line ends; a bare CR or LF is content. The chunk is not kept. */
  update(chunk: Buffer): void;
  /** The base64 value of `bh=`. To be called once, after the last octet. */
  digest(): string;
}

export function bodyHasher(): BodyHasher {
  return new RelaxedSha256();
}

/**
 * Octets go through `#out` to the hash. Three things are withheld until it is known what follows them: white space
 * (dropped before a line end, one space otherwise), a CR (part of a line end or content), and line ends (dropped at
 * the end of the body).
 */
class RelaxedSha256 implements BodyHasher {
  readonly #hash = createHash('sha256');
  #out = Buffer.alloc(0);
  #length = 0;
  #lineEnds = 0;
  #white = false;
  #cr = false;
  #empty = true;

  update(chunk: Buffer): void {
    if (this.#out.length < chunk.length + withheldOctets) {
      this.#out = Buffer.allocUnsafe(chunk.length + withheldOctets);
    }
    for (let index = 0; index < chunk.length; index++) {
      const octet = chunk[index];
      if (this.#cr) {
        this.#cr = false;
        if (octet === lf) {
          this.#white = false;
          this.#lineEnds++;
          continue;
        }
        this.#release();
        this.#out[this.#length++] = cr;
      }
      if (octet === cr) this.#cr = true;
      else if (octet === space || octet === tab) this.#white = true;
      else index = this.#content(chunk, index);
    }
    this.#flush();
  }

  digest(): string {
    if (this.#cr) this.update(Buffer.of(space));
    // A body with content ends in exactly one line end; one without has none (§3.4.4).
    if (!this.#empty) this.#hash.update(lineEndRun.subarray(0, 2));
    return this.#hash.digest('base64');
  }

  /** Copies octets up to white space that needs a decision, or a CR; returns the index of the last one copied. */
  #content(chunk: Buffer, start: number): number {
    this.#release();
    const out = this.#out;
    let length = this.#length;
    let index = start;
    for (; index < chunk.length; index++) {
      const octet = chunk[index] as number; // within bounds by the condition above
      if (octet <= space) {
        if (octet === cr || octet === tab) break;
        // A single space between two words stays as it is: the common case, kept in this loop.
        if (octet === space && !((chunk[index + 1] ?? space) > space)) break;
      }
      out[length++] = octet;
    }
    this.#length = length;
    return index - 1;
  }

  /** Writes what was withheld, now that content follows it. */
  #release(): void {
    this.#empty = false;
    if (this.#lineEnds > bufferedLineEnds) this.#hashLineEnds();
    for (; this.#lineEnds > 0; this.#lineEnds--) {
      this.#out[this.#length++] = cr;
      this.#out[this.#length++] = lf;
    }
    if (this.#white) this.#out[this.#length++] = space;
    this.#white = false;
  }

  #hashLineEnds(): void {
    this.#flush();
    for (; this.#lineEnds > bufferedLineEnds; this.#lineEnds -= bufferedLineEnds)
      this.#hash.update(lineEndRun);
  }

  #flush(): void {
    if (this.#length > 0) this.#hash.update(this.#out.subarray(0, this.#length));
    this.#length = 0;
  }
}
