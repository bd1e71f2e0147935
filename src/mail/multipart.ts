/**
 * Where the parts of a multipart body lie (RFC 2046 §5.1.1): offsets only, so that what is not touched stays octet for
 * octet. Line ends are CRLF; LF is let pass.
 */

export interface Span {
  start: number;
  /** After the last octet. */
  end: number;
}

const lf = 0x0a;
const cr = 0x0d;
const dash = 0x2d;
const space = 0x20;
const tab = 0x09;

/**
 * The parts between the delimiters of `boundary` within `body`, in order; what is not in them is preamble, delimiters and
 * epilogue. Undefined where there is no delimiter at all. A last delimiter that is missing is let pass: what is there
 * belongs to the last part. After `limit` parts it stops.
 */
export function findParts(
  bytes: Buffer,
  body: Span,
  boundary: string,
  limit = Number.POSITIVE_INFINITY,
): Span[] | undefined {
  const delimiter = Buffer.from(`--${boundary}`, 'utf8');
  const parts: Span[] = [];
  let start: number | undefined;
  for (let at = nextDelimiter(bytes, body.start, body, delimiter); at !== undefined; ) {
    if (start !== undefined) parts.push({ start, end: Math.max(start, endBefore(bytes, at, start)) });
    const after = at + delimiter.length;
    start = undefined;
    if ((bytes[after] === dash && bytes[after + 1] === dash) || parts.length >= limit) return parts;
    start = nextLine(bytes, after, body.end);
    at = nextDelimiter(bytes, start, body, delimiter);
  }
  if (start !== undefined) parts.push({ start, end: body.end });
  return start === undefined && parts.length === 0 ? undefined : parts;
}

/** The beginning of the next line, from the line that begins at `from` on, that is a delimiter. */
function nextDelimiter(bytes: Buffer, from: number, { end }: Span, delimiter: Buffer): number | undefined {
  // Nothing behind the body is searched: a part without a delimiter would cost as much as the whole message.
  const within = bytes.subarray(from, end);
  if (
    delimiter.equals(within.subarray(0, delimiter.length)) &&
    endsDelimiter(bytes, from + delimiter.length, end)
  )
    return from;
  const sought = Buffer.concat([Buffer.of(lf), delimiter]);
  for (let at = within.indexOf(sought); at !== -1; at = within.indexOf(sought, at + 1))
    if (endsDelimiter(bytes, from + at + sought.length, end)) return from + at + 1;
  return undefined;
}

/** Nothing but `--` and white space follows on the line: a longer boundary is another one. */
function endsDelimiter(bytes: Buffer, from: number, end: number): boolean {
  let at = bytes[from] === dash && bytes[from + 1] === dash ? from + 2 : from;
  while (at < end && (bytes[at] === space || bytes[at] === tab || bytes[at] === cr)) at++;
  return at >= end || bytes[at] === lf;
}

function nextLine(bytes: Buffer, from: number, end: number): number {
  const at = bytes.indexOf(lf, from);
  return at === -1 || at >= end ? end : at + 1;
}

/** The line end before a delimiter is the delimiter's. */
function endBefore(bytes: Buffer, delimiterAt: number, start: number): number {
  if (delimiterAt === start) return start;
  return bytes[delimiterAt - 2] === cr ? delimiterAt - 2 : delimiterAt - 1;
}
