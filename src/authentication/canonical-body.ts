/**
 * The canonical form of a message's body, by which DKIM hashes it: both algorithms, fed chunk by chunk, so that a message
 * is never whole in memory, in one pass whatever the octets. What becomes of the form is its receiver's affair.
 * RFC 6376 §3.4.3, §3.4.4.
 */

const cr = 0x0d;
const lf = 0x0a;
const space = 0x20;
const tab = 0x09;

const lineEnd = Buffer.from('\r\n');
/** More withheld line ends than this are written in runs: a body of nothing but line ends costs no memory. */
const bufferedLineEnds = 1024;
const lineEndRun = Buffer.from('\r\n'.repeat(bufferedLineEnds));
/** What may be withheld before a chunk and written with it: line ends, one space, one CR. */
const withheldOctets = lineEndRun.length + 2;

export type Canonicalization = 'relaxed' | 'simple';

export interface CanonicalBody {
  /** Takes the next octets of the body, with CRLF line ends; a bare CR or LF is content. The chunk is not kept. */
  update(chunk: Buffer): void;
  /** To be called once, after the last octet. */
  end(): void;
}

/** Takes the next octets of the canonical form; they are valid during the call only. */
type Sink = (octets: Buffer) => void;

export function canonicalBody(canonicalization: Canonicalization, sink: Sink): CanonicalBody {
  return canonicalization === 'relaxed' ? new RelaxedBody(sink) : new SimpleBody(sink);
}

/**
 * Octets go through `#out` to the sink. Three things are withheld until it is known what follows them: white space
 * (dropped before a line end, one space otherwise), a CR (part of a line end or content), and line ends (dropped at
 * the end of the body).
 */
class RelaxedBody implements CanonicalBody {
  readonly #sink: Sink;
  #out = Buffer.alloc(0);
  #length = 0;
  #lineEnds = 0;
  #white = false;
  #cr = false;
  #empty = true;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

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

  end(): void {
    if (this.#cr) this.update(Buffer.of(space));
    // A body with content ends in exactly one line end; one without has none (§3.4.4).
    if (!this.#empty) this.#sink(lineEnd);
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
    if (this.#lineEnds > bufferedLineEnds) this.#writeLineEnds();
    for (; this.#lineEnds > 0; this.#lineEnds--) {
      this.#out[this.#length++] = cr;
      this.#out[this.#length++] = lf;
    }
    if (this.#white) this.#out[this.#length++] = space;
    this.#white = false;
  }

  #writeLineEnds(): void {
    this.#flush();
    for (; this.#lineEnds > bufferedLineEnds; this.#lineEnds -= bufferedLineEnds) this.#sink(lineEndRun);
  }

  #flush(): void {
    if (this.#length > 0) this.#sink(this.#out.subarray(0, this.#length));
    this.#length = 0;
  }
}

/** Octets go to the sink as they lie, but for what is withheld: line ends, and a CR at the end of a chunk. */
class SimpleBody implements CanonicalBody {
  readonly #sink: Sink;
  #lineEnds = 0;
  #cr = false;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  update(chunk: Buffer): void {
    if (chunk.length === 0) return;
    const endsInCr = chunk.at(-1) === cr;
    let end = endsInCr ? chunk.length - 1 : chunk.length;
    const tail = end;
    while (end >= 2 && chunk[end - 1] === lf && chunk[end - 2] === cr) end -= 2;
    const lineEnds = (tail - end) / 2;
    if (this.#cr && end === 1 && chunk[0] === lf) this.#lineEnds++;
    else if (this.#cr || end > 0) this.#release(chunk.subarray(0, end));
    this.#lineEnds += lineEnds;
    this.#cr = endsInCr;
  }

  end(): void {
    if (this.#cr) this.#release(lineEnd.subarray(0, 0));
    // Any body ends in exactly one line end, an empty one too (§3.4.3).
    this.#sink(lineEnd);
  }

  /** Writes what was withheld, and the content that follows it. */
  #release(content: Buffer): void {
    for (; this.#lineEnds > bufferedLineEnds; this.#lineEnds -= bufferedLineEnds) this.#sink(lineEndRun);
    this.#sink(lineEndRun.subarray(0, this.#lineEnds * lineEnd.length));
    if (this.#cr) this.#sink(lineEnd.subarray(0, 1));
    this.#sink(content);
    this.#lineEnds = 0;
    this.#cr = false;
  }
}
