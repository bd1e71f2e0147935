/**
 * Line ends between the wire (CRLF, RFC 5322 §2.1) and a Maildir file (LF, as every Maildir program expects), chunk by
 * chunk. Only the CR of a CRLF goes, and only an LF without CR gets one: a bare LF stays as it is in the file and is
 * read back as CRLF; a bare CR stays in both directions.
 */

const cr = 0x0d;
const lf = 0x0a;

export interface LineEndConverter {
  convert(chunk: Buffer): Buffer;
  /** What is still held back after the last chunk; may be empty. */
  end(): Buffer;
}

/** CRLF → LF. A CR at the end of a chunk is held back until the next octet tells what it is. */
export interface LineEndShortener {
  /** Writes into `target` from `at` on, where there must be room for the chunk and one octet more; returns the end. */
  convert(chunk: Buffer, target: Buffer, at: number): number;
  /** The same for what is still held back after the last chunk, if anything is. */
  end(target: Buffer, at: number): number;
}

export function crlfToLf(): LineEndShortener {
  let heldCr = false;
  return {
    convert(chunk, target, at) {
      let end = at;
      for (const octet of chunk) {
        if (heldCr && octet !== lf) target[end++] = cr;
        heldCr = octet === cr;
        if (!heldCr) target[end++] = octet;
      }
      return end;
    },
    end(target, at) {
      if (heldCr) target[at] = cr;
      return heldCr ? at + 1 : at;
    },
  };
}

/** LF → CRLF. */
export function lfToCrlf(): LineEndConverter {
  let previous: number | undefined;
  return {
    convert(chunk) {
      const output = Buffer.allocUnsafe(chunk.length + missingCrs(chunk, previous));
      let length = 0;
      for (const octet of chunk) {
        if (octet === lf && previous !== cr) output[length++] = cr;
        output[length++] = octet;
        previous = octet;
      }
      return output;
    },
    end: () => Buffer.alloc(0),
  };
}

/** How many octets lfToCrlf() adds to `chunk`, if the octet before it is `previous`. */
export function missingCrs(chunk: Buffer, previous?: number): number {
  let count = 0;
  for (let at = chunk.indexOf(lf); at !== -1; at = chunk.indexOf(lf, at + 1)) {
    if ((at === 0 ? previous : chunk[at - 1]) !== cr) count += 1;
  }
  return count;
}
