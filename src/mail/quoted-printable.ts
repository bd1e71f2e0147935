/** Quoted-printable (RFC 2045 §6.7) of octets with CRLF line ends: those stay line ends, everything else comes back as it was. */

const cr = 0x0d;
const lf = 0x0a;
const tab = 0x09;
const space = 0x20;
const equals = 0x3d;

/** Rule 5, without the CRLF. */
const maxLineLength = 76;
const hexDigits = Buffer.from('0123456789ABCDEF');
/** Of output, written in blocks. */
const blockBytes = 64 * 1024;

export function encodeQuotedPrintable(octets: Buffer): Buffer {
  const writer = new Writer();
  for (let index = 0; index < octets.length; index++) {
    const octet = octets[index] as number; // `index` is below the length
    if (octet === cr && octets[index + 1] === lf) {
      writer.lineEnd();
      index++;
    } else writer.octet(octet, mustBeCoded(octets, index));
  }
  return writer.finish();
}

/** Rules 1 to 3: printable ASCII stands for itself, white space does not at the end of a line. */
function mustBeCoded(octets: Buffer, index: number): boolean {
  const octet = octets[index] as number;
  if (octet === space || octet === tab) {
    const next = octets[index + 1];
    return next === undefined || (next === cr && octets[index + 2] === lf);
  }
  return octet < space || octet > 0x7e || octet === equals;
}

class Writer {
  readonly #blocks: Buffer[] = [];
  #block = Buffer.allocUnsafe(blockBytes);
  #length = 0;
  #lineLength = 0;

  octet(octet: number, coded: boolean): void {
    const width = coded ? 3 : 1;
    // One place is kept for the `=` of a soft line end.
    if (this.#lineLength + width >= maxLineLength) {
      this.#put(equals);
      this.lineEnd();
    }
    if (coded) {
      this.#put(equals);
      // There are sixteen of them.
      this.#put(hexDigits[octet >> 4] as number);
      this.#put(hexDigits[octet & 15] as number);
    } else this.#put(octet);
    this.#lineLength += width;
  }

  lineEnd(): void {
    this.#put(cr);
    this.#put(lf);
    this.#lineLength = 0;
  }

  finish(): Buffer {
    this.#next();
    return Buffer.concat(this.#blocks);
  }

  #put(octet: number): void {
    this.#block[this.#length++] = octet;
    if (this.#length === blockBytes) this.#next();
  }

  #next(): void {
    this.#blocks.push(this.#block.subarray(0, this.#length));
    this.#block = Buffer.allocUnsafe(blockBytes);
    this.#length = 0;
  }
}
