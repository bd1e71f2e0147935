/** Bodies out of their Content-Transfer-Encoding (RFC 2045 §6). */

const lf = 0x0a;
const cr = 0x0d;
const equals = 0x3d;
const space = 0x20;
const tab = 0x09;

/** What is no base64 or quoted-printable is passed over or left as it is (RFC 2045 §6.7, §6.8). Undefined for other encodings. */
export function decodeBody(body: Buffer, encoding: string): Buffer | undefined {
  switch (encoding) {
    case '7bit':
    case '8bit':
    case 'binary':
      return body;
    case 'base64':
      return Buffer.from(body.toString('latin1'), 'base64');
    case 'quoted-printable':
      return decodeQuotedPrintable(body);
    default:
      return undefined;
  }
}

/** Never longer than what it is read from. */
function decodeQuotedPrintable(body: Buffer): Buffer {
  const decoded = Buffer.allocUnsafe(body.length);
  let length = 0;
  for (let at = 0; at < body.length; at += 1) {
    const octet = body[at] as number; // `at` is below the length
    const lineEnd =
      octet === equals || octet === space || octet === tab ? findLineEnd(body, at + 1) : undefined;
    const coded = octet === equals ? hexAt(body, at + 1) : undefined;
    if (coded !== undefined) {
      decoded[length++] = coded;
      at += 2;
    } else if (lineEnd === undefined) decoded[length++] = octet;
    // A soft line end goes; white space before a hard one was put there on the way (rule 3).
    else at = octet === equals ? lineEnd : skipBlank(body, at) - 1;
  }
  return decoded.subarray(0, length);
}

function skipBlank(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === space || body[at] === tab) at += 1;
  return at;
}

/** The last octet of the line end that follows, after white space at most; the end of the body is one. */
function findLineEnd(body: Buffer, from: number): number | undefined {
  const at = skipBlank(body, from);
  if (at >= body.length || body[at] === lf) return at;
  return body[at] === cr && body[at + 1] === lf ? at + 1 : undefined;
}

function hexAt(body: Buffer, at: number): number | undefined {
  const [high, low] = [hexDigit(body[at]), hexDigit(body[at + 1])];
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

function hexDigit(octet: number | undefined): number | undefined {
  if (octet === undefined) return undefined;
  const digit = Number.parseInt(String.fromCharCode(octet), 16);
  return Number.isNaN(digit) ? undefined : digit;
}
